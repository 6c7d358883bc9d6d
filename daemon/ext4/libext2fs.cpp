#include "daemon/ext4/libext2fs.hpp"

#include "base/error.hpp"

#include <et/com_err.h>

namespace banger::ext4 {

void check(errcode_t code, std::string_view what) {
    if (code == 0) {
        return;
    }
    // Below the first error table the codes are those of errno.
    if (code > 0 && code < 4096) {
        throw_errno(what, static_cast<int>(code));
    }
    fail(ErrorCode::Internal, "{}: {}", what, error_message(code));
}

} // namespace banger::ext4
