#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "daemon/config/shape.hpp"

#include <gtest/gtest.h>

namespace banger::config {
namespace {

const HostSize host{8, 16 * GiB};

std::string refusal(const Shape &shape) {
    try {
        validate(shape, host);
    } catch (const Error &e) {
        EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
        return e.what();
    }
    return {};
}

const Shape good{2, 512, 8 * GiB, 8 * GiB};

TEST(Shape, TheDefaultsOfAnyHostAreValid) {
    for (const HostSize &size : {HostSize{1, 1 * GiB}, HostSize{64, 512 * GiB}, host}) {
        EXPECT_NO_THROW(validate(default_shape(defaults(size)), size));
    }
}

TEST(Shape, MoreVcpusThanTheHostHasAreAllowed) {
    Shape shape = good;
    shape.vcpus = 16;
    EXPECT_EQ(refusal(shape), "");
}

TEST(Shape, WhatCannotRunIsRefusedWithWhatCan) {
    Shape shape = good;
    shape.vcpus = 0;
    EXPECT_EQ(refusal(shape), "a VM cannot have 0 vCPUs: use 1 to 32");
    shape = good;
    shape.memory_mib = 1;
    EXPECT_EQ(refusal(shape), "1 MiB of memory are too few to boot: use 128 MiB or more");
    shape.memory_mib = 17ULL * 1024;
    EXPECT_EQ(refusal(shape), "a VM cannot have 17408 MiB of memory: this host has 16384 MiB");
    shape = good;
    shape.disk_bytes = 1 * MiB;
    EXPECT_EQ(refusal(shape), "the disk cannot be 1 MiB: use 64 MiB to 16 TiB");
    shape = good;
    shape.overlay_bytes = 17ULL << 40U;
    EXPECT_NE(refusal(shape).find("the system overlay cannot be"), std::string::npos);
}

} // namespace
} // namespace banger::config
