#pragma once

namespace banger::supervisor {

/// Something that goes on between a caller's descriptors and the guest, until it is over by itself.
/// It tells its owner so by a callback, from any of its calls; the owner destroys it later.
class Session {
public:
    Session() = default;
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;
    virtual ~Session() = default;

    virtual bool finished() const noexcept = 0;
};

} // namespace banger::supervisor
