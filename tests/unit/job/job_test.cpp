#include "daemon/job/job.hpp"

#include <gtest/gtest.h>

namespace banger::job {
namespace {

TEST(Job, TellsItsStagesAndHowLongEachTook) {
    Job job(1, "create", "sandbox");
    job.stage("downloading", 0);
    job.bytes(10, 100);
    EXPECT_EQ(job.snapshot().bytes_done, 10U);
    job.stage("writing", 0.5);
    EXPECT_EQ(job.snapshot().bytes_total, 0U);
    job.done();
    ASSERT_EQ(job.snapshot().stage_durations.size(), 2U);
    EXPECT_EQ(job.snapshot().stage_durations[0].first, "downloading");
    EXPECT_EQ(job.snapshot().progress, 1);
    EXPECT_EQ(job.snapshot().state, State::Done);
}

TEST(Job, ItsProgressNeverGoesBack) {
    Job job(1, "create", "sandbox");
    job.progress(0.6);
    job.stage("again", 0.2);
    EXPECT_EQ(job.snapshot().progress, 0.6);
    job.progress(7);
    EXPECT_EQ(job.snapshot().progress, 1);
}

TEST(Job, EndsOnce) {
    Job job(1, "create", "sandbox");
    int ends = 0;
    job.observe([&](const Snapshot &s) { ends += s.state != State::Running ? 1 : 0; });
    job.failed(Error(ErrorCode::DiskFull, "no room"));
    job.done();
    job.failed(Error(ErrorCode::Internal, "?"));
    EXPECT_EQ(ends, 1);
    EXPECT_EQ(job.snapshot().state, State::Failed);
    EXPECT_EQ(job.snapshot().error->code(), ErrorCode::DiskFull);
}

TEST(Job, CancelAsksTheWorkToEndAndTheWorkEndsIt) {
    Job job(1, "create", "sandbox");
    job.on_cancel([&] { job.failed(Error(ErrorCode::Cancelled, "cancelled")); });
    job.cancel();
    EXPECT_EQ(job.snapshot().state, State::Cancelled);
}

TEST(Job, ACancelThatComesTooEarlyIsKept) {
    Job job(1, "create", "sandbox");
    job.cancel();
    EXPECT_TRUE(job.running());
    EXPECT_TRUE(job.cancel_requested());
}

} // namespace
} // namespace banger::job
