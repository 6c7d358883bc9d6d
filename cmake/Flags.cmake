# One interface target carries the flags, so that each target asks for them by name.
add_library(banger_flags INTERFACE)
target_compile_options(banger_flags INTERFACE
  -Wall -Wextra -Wpedantic
  -Wconversion          # sizes and offsets come from hostile input: no silent narrowing
  -Wshadow
  -Wsuggest-override)
if(BANGER_WERROR)
  target_compile_options(banger_flags INTERFACE -Werror)
endif()
target_include_directories(banger_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
target_compile_definitions(banger_flags INTERFACE
  BANGER_VERSION="${PROJECT_VERSION}" _FILE_OFFSET_BITS=64)

if(BANGER_SANITIZE)
  # For everything, the libraries of the project too: a sanitizer sees what it compiled.
  add_compile_options(-fsanitize=${BANGER_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BANGER_SANITIZE})
endif()
if(BANGER_FUZZ)
  # What is fuzzed tells the fuzzer which of its ways were taken; main is libFuzzer's own.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# banger_library(NAME SOURCES… [PUBLIC libs…] [PRIVATE libs…])
function(banger_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC banger_flags ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
endfunction()

# banger_test(NAME LABEL unit|integration [THREADED] SOURCES… LIBS…): one GoogleTest program, one ctest entry. THREADED
# for one whose product code shares data between threads: ThreadSanitizer looks at those.
function(banger_test name)
  if(NOT BUILD_TESTING)
    return()
  endif()
  cmake_parse_arguments(ARG "THREADED" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
  set(labels ${ARG_LABEL})
  if(ARG_THREADED)
    list(APPEND labels threaded)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE banger_flags ${ARG_LIBS} GTest::gtest_main GTest::gmock)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

# banger_fuzzer(NAME SOURCES… LIBS…): a libFuzzer program of the target `fuzzers`. As a test it runs for ten seconds,
# from the inputs in corpus/ beside it, where there are any; what it finds goes into the build directory.
function(banger_fuzzer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE banger_flags ${ARG_LIBS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set(found ${CMAKE_CURRENT_BINARY_DIR}/${name}-corpus)
  file(MAKE_DIRECTORY ${found})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/corpus)
  if(NOT EXISTS ${corpus})
    set(corpus)
  endif()
  add_test(NAME ${name} COMMAND ${name} -max_total_time=10 -timeout=10 -artifact_prefix=${CMAKE_CURRENT_BINARY_DIR}/
    ${found} ${corpus})
  set_tests_properties(${name} PROPERTIES LABELS fuzz TIMEOUT 60)
  add_dependencies(fuzzers ${name})
endfunction()
