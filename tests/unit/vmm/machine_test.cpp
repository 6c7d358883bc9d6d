#include "base/error.hpp"
#include "daemon/vmm/machine.hpp"
#include "tests/unit/vmm/example.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>

namespace banger::vmm {
namespace {

using Json = nlohmann::json;

std::string refusal_of(const std::function<void(Json &)> &spoil) {
    Json json = Json::parse(to_json(example_machine()));
    spoil(json);
    try {
        machine_from_json(json.dump());
    } catch (const Error &e) {
        EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
        return e.what();
    }
    return "accepted";
}

TEST(MachineJson, ReadsBackWhatItWrote) {
    const Machine machine = machine_from_json(to_json(example_machine()));
    EXPECT_EQ(to_json(machine), to_json(example_machine()));
    EXPECT_EQ(machine.disks.at(1).id, "overlay");
    EXPECT_EQ(machine.nic->tap, "bngr0-2");
}

TEST(MachineJson, AMachineWithoutNicHasNone) {
    Machine machine = example_machine();
    machine.nic.reset();
    EXPECT_FALSE(machine_from_json(to_json(machine)).nic);
}

TEST(MachineJson, NamesWhatIsMissingUnknownOrOfAWrongType) {
    using testing::HasSubstr;
    EXPECT_THAT(refusal_of([](Json &j) { j.erase("kernel"); }), HasSubstr("lacks 'kernel'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["colour"] = 1; }), HasSubstr("'colour'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["vcpus"] = "2"; }), HasSubstr("'vcpus'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["vcpus"] = 33; }), HasSubstr("1 to 32"));
    EXPECT_THAT(refusal_of([](Json &j) { j["memory_mib"] = -1; }), HasSubstr("'memory_mib'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["version"] = 2; }), HasSubstr("'version'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["vmm"] = "xen"; }), HasSubstr("'xen'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["disks"][0]["id"] = "../x"; }), HasSubstr("'../x'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["disks"][1]["id"] = "image"; }), HasSubstr("'image'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["disks"][0]["path"] = "x"; }), HasSubstr("'path'"));
    EXPECT_THAT(refusal_of([](Json &j) { j["nic"]["tap"] = "a,script=x"; }), HasSubstr("script"));
    EXPECT_THAT(refusal_of([](Json &j) { j["nic"]["mac"] = "06:00"; }), HasSubstr("06:00"));
    EXPECT_THAT(refusal_of([](Json &j) { j["vmm"] = "firecracker"; }), HasSubstr("KVM"));
    EXPECT_THROW(machine_from_json("[]"), Error);
    EXPECT_THROW(machine_from_json("{"), Error);
}

} // namespace
} // namespace banger::vmm
