#include "dbus/options.hpp"

#include <gtest/gtest.h>

namespace banger::bus {
namespace {

std::string message_of(const std::function<void()> &body) {
    try {
        body();
    } catch (const Error &e) {
        EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
        return e.what();
    }
    return "no error";
}

TEST(OptionsReader, GivesWhatIsThereAndNothingForWhatIsNot) {
    const Options options{{"vcpus", sdbus::Variant{std::uint32_t{4}}}};
    OptionsReader reader(options);
    EXPECT_EQ(reader.take<std::uint32_t>("vcpus"), 4U);
    EXPECT_EQ(reader.take<bool>("nat"), std::nullopt);
    EXPECT_NO_THROW(reader.finish());
}

TEST(OptionsReader, NamesAnUnknownKeyAndTheKnownOnes) {
    const Options options{{"memroy", sdbus::Variant{std::uint64_t{4}}}};
    OptionsReader reader(options);
    reader.take<std::uint64_t>("memory_mib");
    reader.take<bool>("nat");
    EXPECT_EQ(message_of([&] { reader.finish(); }),
              "the option 'memroy' is not known: there are memory_mib, nat");
}

TEST(OptionsReader, NamesAWrongType) {
    const Options options{{"vcpus", sdbus::Variant{std::string{"four"}}}};
    OptionsReader reader(options);
    EXPECT_EQ(message_of([&] { reader.take<std::uint32_t>("vcpus"); }),
              "the option 'vcpus' has the type 's', not 'u'");
}

} // namespace
} // namespace banger::bus
