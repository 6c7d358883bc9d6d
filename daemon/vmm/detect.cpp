#include "daemon/vmm/detect.hpp"

#include "base/error.hpp"
#include "base/group_database.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace banger::vmm {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> find_program(const fs::path &configured, std::string_view name) {
    const auto runnable = [](const fs::path &path) {
        std::error_code ignored;
        return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
    };
    if (!configured.empty()) {
        return runnable(configured) ? std::optional{configured} : std::nullopt;
    }
    const char *variable = ::secure_getenv("PATH");
    std::string_view rest = variable != nullptr ? variable : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const auto colon = rest.find(':');
        const fs::path folder{rest.substr(0, colon)};
        rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
        if (folder.is_absolute() && runnable(folder / name)) {
            return folder / name;
        }
    }
    return std::nullopt;
}

KvmDevice open_kvm() {
    const UniqueFd device{::open("/dev/kvm", O_RDWR | O_CLOEXEC)};
    if (device) {
        return KvmDevice::Opens;
    }
    return errno == EACCES || errno == EPERM ? KvmDevice::Denied : KvmDevice::Absent;
}

[[noreturn]] void refuse_denied_kvm(const HostFacts &facts) {
    const std::string cure = fmt::format("log out of all sessions and in again, or run 'sudo "
                                         "systemctl restart user@{}.service'",
                                         ::getuid());
    if (facts.joined_kvm_group) {
        fail(ErrorCode::NotAuthorized,
             "{} is in group kvm, but this user manager was started before that and may not open "
             "/dev/kvm: {}",
             facts.user, cure);
    }
    fail(ErrorCode::NotAuthorized,
         "this user may not open /dev/kvm: run 'sudo usermod -aG kvm {}', then {}", facts.user,
         cure);
}

bool kvm_usable(const Wish &wish, const HostFacts &facts) {
    return facts.kvm == KvmDevice::Opens && (facts.hardware_virtualisation || wish.trust_kvm);
}

std::string why_no_kvm(const HostFacts &facts) {
    switch (facts.kvm) {
    case KvmDevice::Absent:
        return "there is no /dev/kvm";
    case KvmDevice::Denied:
        return "/dev/kvm is not permitted, and neither kvm_intel nor kvm_amd is loaded";
    case KvmDevice::Opens:
        break;
    }
    return "/dev/kvm opens, but neither kvm_intel nor kvm_amd is loaded";
}

Selection with_qemu(const Wish &wish, const HostFacts &facts, std::string_view why) {
    if (!facts.qemu) {
        fail(ErrorCode::VmmFailed,
             "{} is missing or not executable: install it ('apt install qemu-system-x86')",
             wish.qemu_bin.empty() ? "qemu-system-x86_64" : wish.qemu_bin.string());
    }
    const bool kvm = kvm_usable(wish, facts);
    return {
        .kind = Kind::Qemu,
        .accelerator = kvm ? Accelerator::Kvm : Accelerator::Tcg,
        .binary = *facts.qemu,
        .reason = kvm ? fmt::format("QEMU with KVM: {}", why)
                      : fmt::format("QEMU with software emulation: {}; {}", why, why_no_kvm(facts)),
    };
}

} // namespace

HostFacts probe(const Wish &wish) {
    const passwd *user = ::getpwuid(::getuid());
    const std::string user_name = user != nullptr ? user->pw_name : "USER";
    return {
        .firecracker = find_program(wish.firecracker_bin, "firecracker"),
        .qemu = find_program(wish.qemu_bin, "qemu-system-x86_64"),
        .kvm = open_kvm(),
        .hardware_virtualisation = ::access("/sys/module/kvm_intel", F_OK) == 0 ||
                                   ::access("/sys/module/kvm_amd", F_OK) == 0,
        .user = user_name,
        .joined_kvm_group = is_in_group(user_name, "kvm"),
    };
}

Selection choose(const Wish &wish, const HostFacts &facts) {
    if (facts.kvm == KvmDevice::Denied && (facts.hardware_virtualisation || wish.trust_kvm)) {
        refuse_denied_kvm(facts);
    }
    if (wish.vmm == config::VmmChoice::Qemu) {
        return with_qemu(wish, facts, "the configuration says so");
    }
    if (facts.firecracker && kvm_usable(wish, facts)) {
        return {
            .kind = Kind::Firecracker,
            .accelerator = Accelerator::Kvm,
            .binary = *facts.firecracker,
            .reason = fmt::format("Firecracker: {} is there, and KVM is usable",
                                  facts.firecracker->string()),
        };
    }
    if (wish.vmm == config::VmmChoice::Firecracker) {
        if (!facts.firecracker) {
            fail(ErrorCode::VmmFailed,
                 "{} is missing or not executable: install Firecracker, set firecracker_bin, or "
                 "set vmm = \"auto\"",
                 wish.firecracker_bin.empty() ? "firecracker" : wish.firecracker_bin.string());
        }
        fail(ErrorCode::VmmFailed, "Firecracker cannot run here: {}; set vmm = \"auto\"",
             why_no_kvm(facts));
    }
    if (facts.firecracker) {
        return with_qemu(wish, facts, "Firecracker is there, but needs KVM");
    }
    return with_qemu(wish, facts,
                     wish.firecracker_bin.empty()
                         ? "there is no firecracker in PATH"
                         : fmt::format("{} is missing", wish.firecracker_bin.string()));
}

} // namespace banger::vmm
