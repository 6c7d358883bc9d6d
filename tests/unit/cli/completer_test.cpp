#include "cli/command_line.hpp"
#include "cli/completer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace banger::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> completed(const std::vector<std::string> &words) {
    Context context;
    const auto root = make_command_line(context);
    const Candidates candidates = complete(*root, words, [](const std::string &wanted) {
        return wanted == kind::vm ? std::vector<std::string>{"sandbox", "server"}
                                  : std::vector<std::string>{"debian-bookworm"};
    });
    std::vector<std::string> texts;
    for (const auto &word : candidates.words) {
        texts.push_back(word.text);
    }
    if (candidates.files) {
        texts.emplace_back(":files");
    }
    return texts;
}

TEST(Completer, OffersVerbsThatBeginSo) {
    EXPECT_THAT(completed({"vm", "st"}), ElementsAre("start", "stop"));
    EXPECT_THAT(completed({""}), Contains("vm"));
    EXPECT_THAT(completed({""}), Not(Contains("__complete")));
}

TEST(Completer, OffersFlagsOfTheVerb) {
    EXPECT_THAT(completed({"vm", "run", "--vc"}), ElementsAre("--vcpu"));
}

TEST(Completer, OffersNamesWhereANameStands) {
    EXPECT_THAT(completed({"vm", "stop", "s"}), ElementsAre("sandbox", "server"));
    EXPECT_THAT(completed({"vm", "stop", "server", "sa"}), ElementsAre("sandbox"));
    EXPECT_THAT(completed({"vm", "run", "--image", ""}), ElementsAre("debian-bookworm"));
    EXPECT_THAT(completed({"kernel", "rm", ""}), ElementsAre("debian-bookworm"));
    EXPECT_THAT(completed({"completion", "z"}), ElementsAre("zsh"));
}

TEST(Completer, OneNameIsEnoughForAVerbThatTakesOne) {
    EXPECT_THAT(completed({"vm", "show", "sandbox", ""}), IsEmpty());
}

TEST(Completer, OffersFilesForARepositoryAlone) {
    EXPECT_THAT(completed({"vm", "run", ""}), ElementsAre(":files"));
    EXPECT_THAT(completed({"vm", "run", "--name", ""}), IsEmpty());
}

TEST(Completer, AFlagWithoutAValueDoesNotSwallowAWord) {
    EXPECT_THAT(completed({"vm", "list", "--json", "-"}), Contains("--quiet"));
    EXPECT_THAT(completed({"vm", "stop", "--force", "s"}), ElementsAre("sandbox", "server"));
}

TEST(Completer, KnowsNothingOfTheGuestsPrograms) {
    EXPECT_THAT(completed({"vm", "run", "--", "l"}), IsEmpty());
}

} // namespace
} // namespace banger::cli
