#pragma once

#include "agent/agent/events.hpp"
#include "agent/agent/exec_table.hpp"
#include "agent/agent/loop.hpp"
#include "agent/agent/shutdown.hpp"
#include "agent/channel/server.hpp"

#include <cstdint>
#include <functional>

namespace banger::agent {

/// The resources of docs/channel.md.
class Api {
public:
    Api(Loop &loop, Init init, std::uint64_t boot_generation);

    void request(const channel::Request &request, const channel::Stream &stream);
    Events &events() noexcept { return events_; }
    ExecTable &execs() noexcept { return execs_; }

private:
    void hello(const channel::Stream &stream) const;
    void identity(const channel::Stream &stream);
    void shutdown(const channel::Stream &stream);

    Loop &loop_;
    Init init_;
    std::uint64_t boot_generation_;
    Events events_;
    ExecTable execs_;
    Shutdown shutdown_;
    Loop::Watch leave_;
};

/// Gathers the body of a request, up to `limit` bytes, and calls back with the whole; an Error from
/// there is the answer.
void with_body(const channel::Stream &stream, std::size_t limit,
               std::function<void(const std::string &body)> on_body);

} // namespace banger::agent
