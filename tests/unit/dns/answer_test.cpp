#include "dns_message.hpp"
#include "resolved/answer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace banger::test {
namespace {

using resolved::Answer;
using resolved::Client;
using resolved::Zone;

class AnswerTest : public testing::Test {
protected:
    AnswerTest() {
        zone_.set_network("vm", Ipv4::parse("172.16.0.1"));
        zone_.set(VmName{"sandbox"}, Ipv4::parse("172.16.0.2"), false);
    }

    Answer ask_raw(const Bytes &wire, Client client = Client::Host) const {
        return resolved::answer(wire, zone_, client);
    }

    Message ask(const Ask &query, Client client = Client::Host) const {
        const Answer answer = ask_raw(query.wire(), client);
        EXPECT_EQ(answer.action, Answer::Action::Reply);
        Message message = Message::read(answer.message);
        EXPECT_TRUE(message.is_response);
        EXPECT_EQ(message.id, query.id);
        EXPECT_EQ(message.recursion_desired, query.recursion_desired);
        return message;
    }

    void expect_denied(const Message &message, int rcode, const std::string &apex) const {
        EXPECT_EQ(message.rcode, rcode);
        EXPECT_TRUE(message.authoritative);
        EXPECT_TRUE(message.answers.empty());
        ASSERT_EQ(message.authority.size(), 1U) << "RFC 2308: the SOA says how long this holds";
        EXPECT_EQ(message.authority[0].type, type_soa);
        EXPECT_EQ(message.authority[0].name, apex);
        EXPECT_LE(message.authority[0].ttl, 5U);
        EXPECT_EQ(message.authority[0].data,
                  apex + " nobody.invalid " + std::to_string(message.authority[0].ttl));
    }

    Zone zone_;
};

TEST_F(AnswerTest, GivesTheAddressOfARunningVm) {
    const Message message = ask({"sandbox.vm"});
    EXPECT_EQ(message.rcode, noerror);
    EXPECT_TRUE(message.authoritative);
    EXPECT_FALSE(message.recursion_available);
    EXPECT_EQ(message.question, "sandbox.vm");
    ASSERT_EQ(message.answers.size(), 1U);
    EXPECT_EQ(message.answers[0].name, "sandbox.vm");
    EXPECT_EQ(message.answers[0].data, "172.16.0.2");
    EXPECT_LE(message.answers[0].ttl, 5U);
    EXPECT_FALSE(message.edns) << "only whoever uses EDNS gets it";
}

TEST_F(AnswerTest, GivesTheNameOfAnAddress) {
    const Message message = ask({"2.0.16.172.in-addr.arpa", type_ptr});
    EXPECT_TRUE(message.authoritative);
    ASSERT_EQ(message.answers.size(), 1U);
    EXPECT_EQ(message.answers[0].data, "sandbox.vm");
}

TEST_F(AnswerTest, FindsANameInAnyCaseAndKeepsTheCaseOfTheQuestion) {
    const Message message = ask({"SaNdBoX.Vm"});
    EXPECT_EQ(message.question, "SaNdBoX.Vm");
    ASSERT_EQ(message.answers.size(), 1U);
    EXPECT_EQ(message.answers[0].name, "SaNdBoX.Vm");
}

TEST_F(AnswerTest, AChangeIsSeenByTheNextQuery) {
    zone_.set(VmName{"web"}, Ipv4::parse("172.16.0.7"), false);
    EXPECT_EQ(ask({"web.vm"}).answers.at(0).data, "172.16.0.7");
    zone_.remove(VmName{"web"});
    EXPECT_EQ(ask({"web.vm"}).rcode, nxdomain);
    EXPECT_EQ(ask({"7.0.16.172.in-addr.arpa", type_ptr}).rcode, nxdomain);
}

TEST_F(AnswerTest, ANameWithoutTheAskedTypeExistsAndIsEmpty) {
    expect_denied(ask({"sandbox.vm", type_aaaa}), noerror, "vm");
    expect_denied(ask({"2.0.16.172.in-addr.arpa", type_a}), noerror, "0.16.172.in-addr.arpa");
}

TEST_F(AnswerTest, AnUnknownNameIsDenied) {
    expect_denied(ask({"nobody.vm"}), nxdomain, "vm");
    expect_denied(ask({"nobody.vm", type_aaaa}), nxdomain, "vm");
    expect_denied(ask({"www.sandbox.vm"}), nxdomain, "vm");
}

TEST_F(AnswerTest, AnAddressWithoutVmIsDenied) {
    for (const auto *name : {"3", "1", "0", "255", "256", "02", "x", "1.2", "-2", "2 "}) {
        expect_denied(ask({std::string{name} + ".0.16.172.in-addr.arpa", type_ptr}), nxdomain,
                      "0.16.172.in-addr.arpa");
    }
}

TEST_F(AnswerTest, ALabelThatHoldsADotIsNotTwoLabels) {
    Bytes wire = Ask{"sandboxxvm"}.wire();
    wire[resolved::header_bytes + 1 + 7] = '.';
    EXPECT_EQ(Message::read(ask_raw(wire).message).rcode, refused) << "it is a top-level name";
}

TEST_F(AnswerTest, TheZonesOwnNamesExist) {
    for (const auto *apex : {"vm", "0.16.172.in-addr.arpa"}) {
        expect_denied(ask({apex, type_a}), noerror, apex);
        const Message soa = ask({apex, type_soa});
        ASSERT_EQ(soa.answers.size(), 1U);
        EXPECT_EQ(soa.answers[0].type, type_soa);
        EXPECT_TRUE(soa.authority.empty());
        const Message ns = ask({apex, type_ns});
        ASSERT_EQ(ns.answers.size(), 1U);
        EXPECT_EQ(ns.answers[0].data, apex);
    }
}

TEST_F(AnswerTest, AnyGetsWhatThereIs) {
    EXPECT_EQ(ask({"sandbox.vm", type_any}).answers.size(), 1U);
    EXPECT_EQ(ask({"vm", type_any}).answers.size(), 2U);
}

TEST_F(AnswerTest, ALaterUsersNamesStandBelowTheirOwnDomain) {
    zone_.set_network("alice.vm", Ipv4::parse("172.16.3.1"));
    zone_.set(VmName{"sandbox"}, Ipv4::parse("172.16.3.2"), false);
    EXPECT_EQ(ask({"sandbox.alice.vm"}).answers.at(0).data, "172.16.3.2");
    EXPECT_EQ(ask({"2.3.16.172.in-addr.arpa", type_ptr}).answers.at(0).data, "sandbox.alice.vm");
    expect_denied(ask({"other.alice.vm"}), nxdomain, "alice.vm");
    expect_denied(ask({"alice.vm"}), noerror, "alice.vm");
    EXPECT_EQ(ask({"sandbox.vm"}).rcode, refused) << "the host asks another user's server";
}

TEST_F(AnswerTest, ALaterUsersGuestsAreToldThatOtherUsersNamesDoNotExist) {
    zone_.set_network("alice.vm", Ipv4::parse("172.16.3.1"));
    for (const auto client : {Client::Guest, Client::GuestWithNat}) {
        expect_denied(ask({"sandbox.vm"}, client), nxdomain, "vm");
        expect_denied(ask({"vm"}, client), noerror, "vm");
    }
}

TEST_F(AnswerTest, OnlyAGuestWithNatLearnsOfTheOutside) {
    for (const auto *name : {"example.com", "3.0.17.172.in-addr.arpa", "notvm", "vm.example.com"}) {
        EXPECT_EQ(ask({name}).rcode, refused);
        EXPECT_EQ(ask({name}, Client::Guest).rcode, refused);
        EXPECT_EQ(ask({name}, Client::Stranger).rcode, refused);
        EXPECT_EQ(ask_raw(Ask{name}.wire(), Client::GuestWithNat).action, Answer::Action::Forward);
    }
    const Message message = ask({"example.com"}, Client::Guest);
    EXPECT_FALSE(message.authoritative);
    EXPECT_FALSE(message.recursion_available);
}

TEST_F(AnswerTest, AGuestWithNatSeesAResolver) {
    const Message message = ask({"sandbox.vm"}, Client::GuestWithNat);
    EXPECT_TRUE(message.recursion_available);
    EXPECT_EQ(message.answers.size(), 1U);
}

TEST_F(AnswerTest, WhatIsForwardedIsTheQuery) {
    const Bytes cookie{0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    const Ask query{.name = "WWW.example.COM",
                    .type = type_aaaa,
                    .edns = Edns{.udp_bytes = 1400, .dnssec_ok = true, .options = cookie}};
    EXPECT_EQ(ask_raw(query.wire(), Client::GuestWithNat).message, query.wire());
    EXPECT_EQ(ask_raw(Ask{"a.com"}.wire(), Client::GuestWithNat).message, Ask{"a.com"}.wire());
}

TEST_F(AnswerTest, WhatStandsBehindAQueryIsNotForwarded) {
    Bytes wire = Ask{"example.com"}.wire();
    wire.insert(wire.end(), 100, 0xee);
    const Answer answer = ask_raw(wire, Client::GuestWithNat);
    EXPECT_EQ(answer.action, Answer::Action::Forward);
    EXPECT_EQ(answer.message, Ask{"example.com"}.wire());
}

TEST_F(AnswerTest, AStrangerIsToldNothing) {
    const Message message = ask({"sandbox.vm"}, Client::Stranger);
    EXPECT_EQ(message.rcode, refused);
    EXPECT_TRUE(message.answers.empty());
    EXPECT_TRUE(message.authority.empty());
}

TEST_F(AnswerTest, EdnsIsAnsweredWithEdns) {
    const Message message =
        ask({.name = "sandbox.vm", .edns = Edns{.udp_bytes = 4096, .dnssec_ok = true}});
    EXPECT_EQ(message.answers.size(), 1U);
    ASSERT_TRUE(message.edns);
    EXPECT_EQ(message.edns->version, 0);
    EXPECT_EQ(message.edns->udp_bytes, 1232);
    EXPECT_TRUE(message.edns->dnssec_ok) << "RFC 3225: DO is copied";
    EXPECT_TRUE(ask({.name = "sandbox.vm", .edns = Edns{.udp_bytes = 0}}).edns);
}

TEST_F(AnswerTest, UnknownEdnsOptionsAreIgnored) {
    const Message message =
        ask({.name = "sandbox.vm", .edns = Edns{.options = {0xfd, 0xe9, 0, 3, 'a', 'b', 'c'}}});
    EXPECT_EQ(message.answers.size(), 1U);
    ASSERT_TRUE(message.edns);
    EXPECT_TRUE(message.edns->options.empty());
}

TEST_F(AnswerTest, ALaterVersionOfEdnsIsTurnedDown) {
    const Message message = ask({.name = "sandbox.vm", .edns = Edns{.version = 1}});
    EXPECT_EQ(message.rcode, badvers);
    ASSERT_TRUE(message.edns);
    EXPECT_EQ(message.edns->version, 0);
    EXPECT_TRUE(message.answers.empty());
}

TEST_F(AnswerTest, OtherClassesAndZoneTransfersAreRefused) {
    constexpr std::uint16_t chaos = 3;
    for (const auto client : {Client::Host, Client::GuestWithNat}) {
        EXPECT_EQ(ask({.name = "version.bind", .type = 16, .klass = chaos}, client).rcode, refused);
        EXPECT_EQ(ask({"vm", type_axfr}, client).rcode, refused);
        EXPECT_EQ(ask({"example.com", type_axfr}, client).rcode, refused);
    }
}

TEST_F(AnswerTest, OtherOperationsAreNotImplemented) {
    Bytes wire = Ask{"sandbox.vm"}.wire();
    for (unsigned opcode = 1; opcode < 16; ++opcode) {
        wire[2] = static_cast<std::uint8_t>(opcode << 3U);
        const Message message = Message::read(ask_raw(wire).message);
        EXPECT_EQ(message.rcode, notimp);
        EXPECT_EQ(message.id, 0x1234);
        EXPECT_TRUE(message.is_response);
    }
}

TEST_F(AnswerTest, AResponseIsNotAnswered) {
    Bytes wire = Ask{"sandbox.vm"}.wire();
    wire[2] |= 0x80U;
    EXPECT_EQ(ask_raw(wire).action, Answer::Action::Drop);
}

TEST_F(AnswerTest, LessThanAHeaderIsNotAnswered) {
    const Bytes wire = Ask{"sandbox.vm"}.wire();
    for (std::size_t size = 0; size < resolved::header_bytes; ++size) {
        EXPECT_EQ(
            ask_raw(Bytes{wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size)}).action,
            Answer::Action::Drop);
    }
}

TEST_F(AnswerTest, AQueryThatIsCutShortIsMalformed) {
    const Bytes wire = Ask{.name = "sandbox.vm", .edns = Edns{}}.wire();
    for (std::size_t size = resolved::header_bytes; size < wire.size(); ++size) {
        const Answer answer =
            ask_raw(Bytes{wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(size)});
        EXPECT_EQ(Message::read(answer.message).rcode, formerr) << size;
    }
}

TEST_F(AnswerTest, AQueryOfAnotherFormIsMalformed) {
    const auto rcode_with_counts = [this](std::initializer_list<int> counts) {
        Bytes wire = Ask{"sandbox.vm"}.wire();
        const Bytes question{wire.begin() + resolved::header_bytes, wire.end()};
        wire.insert(wire.end(), question.begin(), question.end());
        auto at = wire.begin() + 5;
        for (const int count : counts) {
            *at = static_cast<std::uint8_t>(count);
            at += 2;
        }
        return Message::read(ask_raw(wire).message).rcode;
    };
    EXPECT_EQ(rcode_with_counts({0, 0, 0, 0}), formerr);
    EXPECT_EQ(rcode_with_counts({2, 0, 0, 0}), formerr);
    EXPECT_EQ(rcode_with_counts({255, 0, 0, 0}), formerr);
    EXPECT_EQ(rcode_with_counts({1, 1, 0, 0}), formerr);
    EXPECT_EQ(rcode_with_counts({1, 0, 1, 0}), formerr);
    EXPECT_EQ(rcode_with_counts({1, 0, 0, 1}), formerr);
}

TEST_F(AnswerTest, TwoOptRecordsAreMalformed) {
    Bytes wire = Ask{.name = "sandbox.vm", .edns = Edns{}}.wire();
    const Bytes opt{wire.end() - 11, wire.end()};
    wire.insert(wire.end(), opt.begin(), opt.end());
    wire[11] = 2;
    EXPECT_EQ(Message::read(ask_raw(wire).message).rcode, formerr);
}

TEST_F(AnswerTest, ANameThatPointsAtItselfIsMalformed) {
    Bytes wire = Ask{""}.wire();
    wire[resolved::header_bytes] = 0xc0;
    wire.insert(wire.begin() + resolved::header_bytes + 1, resolved::header_bytes);
    EXPECT_EQ(Message::read(ask_raw(wire).message).rcode, formerr);
}

TEST_F(AnswerTest, TheLongestNameIsAnsweredInFull) {
    std::string name;
    for (int i = 0; i < 3; ++i) {
        name += std::string(63, 'a') + ".";
    }
    name += std::string(58, 'b') + ".vm";
    ASSERT_EQ(wire_name(name).size(), 255U);
    const Answer answer = ask_raw(Ask{.name = name, .edns = Edns{}}.wire());
    EXPECT_LE(answer.message.size(), 512U);
    expect_denied(Message::read(answer.message), nxdomain, "vm");
}

TEST(FitUdp, CutsWhatTheClientDoesNotTake) {
    const Ask plain{"example.com"};
    const Bytes reply =
        reply_to(plain.wire(), noerror, std::vector<std::string>(60, "192.0.2.1")); // 989 bytes
    const Message cut = Message::read(resolved::fit_udp(reply, plain.wire()));
    EXPECT_TRUE(cut.truncated);
    EXPECT_TRUE(cut.recursion_available);
    EXPECT_EQ(cut.question, "example.com");
    EXPECT_TRUE(cut.answers.empty());

    const Ask with_edns{.name = "example.com", .edns = Edns{.udp_bytes = 1232}};
    EXPECT_EQ(resolved::fit_udp(reply, with_edns.wire()), reply);
    const Ask small{.name = "example.com", .edns = Edns{.udp_bytes = 600}};
    EXPECT_TRUE(Message::read(resolved::fit_udp(reply, small.wire())).truncated);
}

} // namespace
} // namespace banger::test
