#include "daemon/job/job_table.hpp"

#include <gtest/gtest.h>

namespace banger::job {
namespace {

TEST(JobTable, TellsTheBeginningTheEndAndTheForgetting) {
    EventLoop loop;
    JobTable table(loop, std::chrono::milliseconds{1});
    std::string story;
    table.observe({[&](const auto &job) { story += "added " + job->snapshot().kind; },
                   [](const Snapshot &) {},
                   [&](const Snapshot &s) { story += " " + std::string(to_string(s.state)); },
                   [&](std::uint32_t id) {
                       story += " forgotten " + std::to_string(id);
                       loop.exit(0);
                   }});
    const auto job = table.add("start", "sandbox");
    EXPECT_EQ(table.running_count(), 1U);
    job->done();
    EXPECT_EQ(table.running_count(), 0U);
    EXPECT_EQ(table.find(1)->snapshot().subject, "sandbox");
    loop.run();
    EXPECT_EQ(story, "added start done forgotten 1");
    EXPECT_THROW(table.find(1), Error);
}

TEST(JobTable, KnowsWhatRunsOnASubject) {
    EventLoop loop;
    JobTable table(loop);
    const auto start = table.add("start", "a");
    EXPECT_EQ(table.running({"start", "stop"}, "a"), start);
    EXPECT_EQ(table.running({"start", "stop"}, "b"), nullptr);
    EXPECT_EQ(table.running({"delete"}, "a"), nullptr);
    start->done();
    EXPECT_EQ(table.running({"start"}, "a"), nullptr);
    EXPECT_EQ(table.list().size(), 1U);
}

} // namespace
} // namespace banger::job
