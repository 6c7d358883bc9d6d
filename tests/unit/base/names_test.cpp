#include "base/error.hpp"
#include "base/names.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace banger {
namespace {

TEST(VmName, AcceptsWhatADnsLabelMayBe) {
    for (const char *name : {"a", "sandbox", "my-vm-2", "0abc"}) {
        EXPECT_EQ(VmName(name).str(), name);
    }
    EXPECT_EQ(VmName(std::string(63, 'x')).unit(),
              "banger-vm@" + std::string(63, 'x') + ".service");
}

TEST(VmName, RefusesAllElseAndQuotesIt) {
    const std::vector<std::string> names{"",    "Bad_Name", "-a",  "a-",   "a.b",
                                         "ünï", "a b",      "a/b", "../x", std::string(64, 'x')};
    for (const auto &name : names) {
        try {
            const VmName accepted{name};
            ADD_FAILURE() << accepted.str() << " was accepted";
        } catch (const Error &e) {
            EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
            EXPECT_NE(std::string(e.what()).find("'" + name + "'"), std::string::npos);
        }
    }
}

TEST(VmName, IsReadBackFromItsUnit) {
    EXPECT_EQ(vm_name_of_unit("banger-vm@sandbox.service"), "sandbox");
    for (const char *unit :
         {"banger-vm@.service", "ssh.service", "banger-vm@x.socket", "banger-vm@A.service"}) {
        EXPECT_EQ(vm_name_of_unit(unit), "") << unit;
    }
}

TEST(ArtifactName, AcceptsImageNamesAndRefusesPaths) {
    EXPECT_EQ(ArtifactName("image", "debian-bookworm").str(), "debian-bookworm");
    for (const char *name : {"", ".hidden", "../up", "a/b", "a b", "a\n"}) {
        EXPECT_THROW(ArtifactName("image", name), Error) << name;
    }
}

} // namespace
} // namespace banger
