#pragma once

#include "base/files.hpp"
#include "base/process.hpp"

#include <fcntl.h>

#include <filesystem>
#include <string>

namespace banger::test {

/// A message bus of the test's own, without services to activate.
class PrivateBus {
public:
    explicit PrivateBus(const std::filesystem::path &directory) {
        const auto config = directory / "bus.conf";
        address_ = "unix:path=" + (directory / "bus").string();
        write_file_atomically(
            config, "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration "
                    "1.0//EN\" \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">"
                    "<busconfig><type>session</type><listen>" +
                        address_ +
                        "</listen><policy context=\"default\"><allow send_destination=\"*\" "
                        "eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow "
                        "own=\"*\"/></policy></busconfig>");
        // It says its address when it can be reached.
        FdPair ready = make_pipe();
        constexpr int descriptor = 3;
        Command command;
        command.argv = {"dbus-daemon", "--config-file=" + config.string(), "--nofork",
                        "--print-address=3"};
        command.descriptors = {{ready.second.get(), descriptor}};
        daemon_ = spawn(command);
        ready.second.reset();
        char byte = 0;
        while (::read(ready.first.get(), &byte, 1) == 1 && byte != '\n') {
        }
    }

    const std::string &address() const { return address_; }

private:
    std::string address_;
    ChildProcess daemon_;
};

} // namespace banger::test
