// The JSON of the other side: an Error, or a value that survives its own round trip.
#include "agent/channel/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace banger::channel;
    const std::string_view text{reinterpret_cast<const char *>(data), size};
    const auto attempt = [](const auto &run) {
        try {
            run();
        } catch (const banger::Error &) {
            // What a parser says to bad input.
        }
    };
    attempt([&] { parse_hello(to_json(parse_hello(text))); });
    attempt([&] { parse_exec_spec(to_json(parse_exec_spec(text))); });
    attempt([&] { parse_exec_control(to_json(parse_exec_control(text))); });
    attempt([&] { parse_exec_report(to_json(parse_exec_report(text))); });
    attempt([&] { parse_event(to_json(parse_event(text))); });
    parse_error(text);
    attempt([&] {
        LineSplitter splitter(64);
        splitter.feed(text, [](std::string_view) {});
    });
    return 0;
}
