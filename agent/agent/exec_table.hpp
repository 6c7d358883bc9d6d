#pragma once

#include "agent/agent/exec.hpp"
#include "agent/channel/server.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace banger::agent {

/// All execs, by the ID that the host chose.
class ExecTable {
public:
    explicit ExecTable(Loop &loop) : loop_(loop) {}

    /// A request for /v1/execs/`rest`. Throws Error.
    void request(const channel::Request &request, std::string_view rest,
                 const channel::Stream &stream);

    /// No exec begins any more.
    void close() { closed_ = true; }
    void ask_all_to_end();
    void kill_all();
    bool any_alive() const;

private:
    std::shared_ptr<Exec> find_or_make(const std::string &id);

    Loop &loop_;
    std::map<std::string, std::shared_ptr<Exec>> execs_;
    bool closed_ = false;
};

} // namespace banger::agent
