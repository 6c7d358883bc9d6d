# banger_dbus_stubs(TARGET XML…): generates NAME_adaptor.hpp and NAME_proxy.hpp for every XML file
# with the xml2cpp of the installed sdbus-c++, because the generated code differs between 1.x and 2.x.
function(banger_dbus_stubs target)
  set(out ${PROJECT_BINARY_DIR}/dbus/generated)
  file(MAKE_DIRECTORY ${out})
  set(headers)
  foreach(xml ${ARGN})
    get_filename_component(name ${xml} NAME)
    string(REGEX REPLACE "\\.xml$" "" name ${name})
    add_custom_command(
      OUTPUT ${out}/${name}_adaptor.hpp ${out}/${name}_proxy.hpp
      COMMAND SDBusCpp::sdbus-c++-xml2cpp ${CMAKE_CURRENT_SOURCE_DIR}/${xml}
        --adaptor=${out}/${name}_adaptor.hpp --proxy=${out}/${name}_proxy.hpp
      DEPENDS ${xml}
      COMMENT "Generating D-Bus stubs of ${name}")
    list(APPEND headers ${out}/${name}_adaptor.hpp ${out}/${name}_proxy.hpp)
  endforeach()
  add_custom_target(${target}_generate DEPENDS ${headers})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_generate)
  # System headers: what a generator wrote is not held to our warnings.
  target_include_directories(${target} SYSTEM INTERFACE ${PROJECT_BINARY_DIR}/dbus/generated)
  target_link_libraries(${target} INTERFACE SDBusCpp::sdbus-c++)
endfunction()
