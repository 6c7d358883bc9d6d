#include "world.hpp"

namespace banger::vm {
namespace {

class Create : public World {
protected:
    ErrorCode refusal(const CreateRequest &request) {
        try {
            manager->create(request);
        } catch (const Error &e) {
            return e.code();
        }
        ADD_FAILURE() << "accepted";
        return ErrorCode::Internal;
    }
    static CreateRequest named(const std::string &name) {
        CreateRequest request;
        request.name = name;
        return request;
    }
};

TEST_F(Create, GivesAVmWithAKeyThatIsKnownBeforeTheFirstConnection) {
    const VmName name = created();
    const View view = manager->get(name);
    EXPECT_EQ(view.state, State::Created);
    EXPECT_EQ(view.image_digest, "d1");
    EXPECT_EQ(view.kernel, "debian-6.1");
    EXPECT_EQ(view.host_name, "sandbox.vm");
    EXPECT_EQ(view.vcpus, 1U);
    const std::string known = read_file(paths.ssh() / "known_hosts");
    EXPECT_NE(known.find("sandbox.vm ssh-ed25519 "), std::string::npos) << known;
    EXPECT_TRUE(std::filesystem::exists(paths.ssh() / "id_ed25519"));
    const std::string config = read_file(paths.config / "ssh_config");
    EXPECT_NE(config.find("StrictHostKeyChecking yes"), std::string::npos);
    EXPECT_EQ(std::filesystem::status(paths.ssh() / "id_ed25519").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(Create, WrongInputIsRefusedAtOnceAndLeavesNothing) {
    EXPECT_EQ(refusal(named("Bad_Name")), ErrorCode::InvalidArgument);
    CreateRequest request = named("x");
    request.vcpus = 0;
    EXPECT_EQ(refusal(request), ErrorCode::InvalidArgument);
    request = named("x");
    request.memory_mib = 1;
    EXPECT_EQ(refusal(request), ErrorCode::InvalidArgument);
    request = named("x");
    request.image = "nope";
    EXPECT_EQ(refusal(request), ErrorCode::NotFound);
    request = named("x");
    request.kernel = "nope";
    EXPECT_EQ(refusal(request), ErrorCode::NotFound);
    config_text = "colour = 1";
    EXPECT_EQ(refusal(named("x")), ErrorCode::InvalidArgument);
    EXPECT_TRUE(jobs.list().empty());
    expect_no_trace_of(VmName("x"));
}

TEST_F(Create, ANameIsGivenOnce) {
    created("a");
    EXPECT_EQ(refusal(named("a")), ErrorCode::AlreadyExists);
    artifacts.image_there = false;
    const auto job = manager->create(named("b"));
    EXPECT_EQ(refusal(named("b")), ErrorCode::AlreadyExists);
    job->cancel();
}

TEST_F(Create, WithoutANameOneIsMade) {
    const auto job = manager->create(CreateRequest{});
    const std::string name = job->snapshot().subject;
    EXPECT_EQ(end_of(job).state, job::State::Done);
    EXPECT_EQ(manager->get(VmName(name)).name, name);
}

TEST_F(Create, EachVmHasItsOwnAddress) {
    with_guests_that_come_up();
    for (const char *name : {"a", "b"}) {
        EXPECT_EQ(end_of(manager->start(created(name))).state, job::State::Done);
    }
    EXPECT_EQ(manager->get(VmName("a")).ip_address, "172.16.0.2");
    EXPECT_EQ(manager->get(VmName("b")).ip_address, "172.16.0.3");
}

TEST_F(Create, AMissingImageAndKernelAreMadeVisibly) {
    artifacts.image_there = false;
    artifacts.kernel_there = false;
    const auto job = manager->create(named("sandbox"));
    EXPECT_EQ(job->snapshot().stage, "downloading packages");
    artifacts.build->bytes(10, 100);
    EXPECT_EQ(job->snapshot().bytes_done, 10U);
    artifacts.image_there = true;
    artifacts.build->done();
    EXPECT_EQ(end_of(job).state, job::State::Done);
}

TEST_F(Create, AnImageWhoseKernelIsNowhereIsRefusedWithBothNames) {
    artifacts.kernel_of_image = "mine";
    try {
        manager->create(named("sandbox"));
        ADD_FAILURE() << "accepted";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        const std::string message = error.what();
        EXPECT_NE(message.find("the image 'debian-bookworm' needs the kernel 'mine'"),
                  std::string::npos)
            << message;
        EXPECT_NE(message.find("banger kernel import mine"), std::string::npos) << message;
    }
    expect_no_trace_of(VmName("sandbox"));
    CreateRequest request = named("sandbox");
    request.kernel = "debian";
    EXPECT_EQ(end_of(manager->create(request)).state, job::State::Done);
}

TEST_F(Create, AKernelIsInUseFromTheMomentItIsChosen) {
    created("sandbox");
    EXPECT_EQ(manager->users_of_kernel("debian-6.1"), std::vector<std::string>{"sandbox"});
}

TEST_F(Create, ABuildThatFailsLeavesNothing) {
    artifacts.image_there = false;
    const auto job = manager->create(named("sandbox"));
    artifacts.build->failed(Error(ErrorCode::DiskFull, "no room"));
    const auto end = end_of(job);
    EXPECT_EQ(end.state, job::State::Failed);
    EXPECT_EQ(end.error->code(), ErrorCode::DiskFull);
    expect_no_trace_of(VmName("sandbox"));
}

TEST_F(Create, CancellingEndsTheBuildAndLeavesNothing) {
    artifacts.image_there = false;
    const auto job = manager->create(named("sandbox"));
    job->cancel();
    EXPECT_EQ(end_of(job).state, job::State::Cancelled);
    EXPECT_FALSE(artifacts.build->running());
    expect_no_trace_of(VmName("sandbox"));
}

TEST_F(Create, WhatAKilledDaemonLeftHalfDoneIsRemoved) {
    artifacts.image_there = false;
    manager->create(named("sandbox"));
    std::filesystem::create_directories(paths.vm_state(VmName("sandbox")) / "host_keys");
    reboot_daemon();
    EXPECT_TRUE(manager->list().empty());
    expect_no_trace_of(VmName("sandbox"));
}

TEST_F(Create, WhoMayNotMakeNetworksHearsItBeforeTheLongWait) {
    artifacts.image_there = false;
    network.authorization = net::Authorization::No;
    CreateRequest request = named("sandbox");
    request.start = true;
    const auto end = end_of(manager->create(request));
    EXPECT_EQ(end.error->code(), ErrorCode::NotAuthorized);
    EXPECT_EQ(artifacts.build, nullptr);
    expect_no_trace_of(VmName("sandbox"));
}

} // namespace
} // namespace banger::vm
