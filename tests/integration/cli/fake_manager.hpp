#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace banger::cli {

/// What a FakeManager does otherwise than well.
struct FakeBehaviour {
    std::vector<std::string> images{"debian-bookworm"};
    std::vector<std::string> kernels{"debian"};
    std::vector<std::string> missing; ///< what every kernel lacks
    bool boots = true;                ///< else no VM gets past agent-ready
    bool has_vmm = true;              ///< else no VMM can run here
    bool refuses_start = false;       ///< the job of a start ends with VmmFailed
    bool dies_in_start = false;       ///< the name leaves the bus while the start is under way
    std::filesystem::path guest;      ///< what the guest's "/root" is here
};

/// org.banger.Manager as the contract has it, without any VM: programs "in the guest" run on this
/// host, with the descriptors that came over the bus. A job's end is told before the call that
/// began it has returned. Runs in a thread of its own.
class FakeManager {
public:
    FakeManager(const std::string &bus_address, FakeBehaviour behaviour);
    ~FakeManager();
    FakeManager(const FakeManager &) = delete;
    FakeManager &operator=(const FakeManager &) = delete;

private:
    FdPair stop_;
    std::thread thread_;
};

} // namespace banger::cli
