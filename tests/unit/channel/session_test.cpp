#include "agent/channel/messages.hpp"
#include "tests/unit/channel/pair.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace banger::channel {
namespace {

TEST(Session, CarriesARequestAndItsAnswer) {
    Pair pair;
    Record at_server;
    pair.on_request = [&](const Request &request, const Stream &stream) {
        EXPECT_EQ(request.method, "PUT");
        EXPECT_EQ(request.path, "/v1/files");
        EXPECT_EQ(request.query, "a=b");
        EXPECT_EQ(header(request.headers, "banger-directory"), "/root/repo");
        auto callbacks = at_server.callbacks();
        callbacks.on_end = [&at_server, stream] {
            stream.respond(200);
            stream.write("got " + at_server.data);
            stream.end();
        };
        stream.set_callbacks(callbacks);
    };
    pair.connect();
    Record at_client;
    const Stream stream = pair.client.start_request(
        "PUT", "/v1/files?a=b", {{"banger-directory", "/root/repo"}}, true, at_client.callbacks());
    stream.write("hello");
    stream.end();
    pair.run();
    EXPECT_EQ(at_client.status, 200);
    EXPECT_EQ(at_client.data, "got hello");
    EXPECT_TRUE(at_client.ended);
    EXPECT_TRUE(at_client.closed);
    EXPECT_EQ(at_client.reason, CloseReason::Finished);
    EXPECT_TRUE(at_server.closed);
    EXPECT_FALSE(stream);
}

TEST(Session, EitherDirectionMayEndFirst) {
    Pair pair;
    Stream server_side;
    Record at_server;
    pair.on_request = [&](const Request &, const Stream &stream) {
        server_side = stream;
        stream.set_callbacks(at_server.callbacks());
        stream.respond(200);
    };
    pair.connect();
    Record at_client;
    const Stream stream =
        pair.client.start_request("POST", "/v1/streams", {}, true, at_client.callbacks());
    stream.write("last words");
    stream.end();
    pair.run();
    EXPECT_TRUE(at_server.ended);
    EXPECT_FALSE(at_server.closed);
    server_side.write("an answer after the other's end");
    pair.run();
    EXPECT_EQ(at_client.data, "an answer after the other's end");
    server_side.end();
    pair.run();
    EXPECT_EQ(at_client.reason, CloseReason::Finished);
    EXPECT_TRUE(at_client.closed);
}

TEST(Session, AnErrorThrownByTheHandlerIsTheAnswer) {
    Pair pair;
    pair.on_request = [](const Request &request, const Stream &) {
        fail(ErrorCode::NotFound, "there is no {}", request.path);
    };
    pair.connect();
    Record record;
    pair.client.start_request("GET", "/v2", {}, false, record.callbacks());
    pair.run();
    EXPECT_EQ(record.status, 404);
    const Error error = parse_error(record.data);
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_STREQ(error.what(), "there is no /v2");
}

/// A source of `size` bytes that counts what was pulled from it.
std::function<Pulled(std::span<std::byte>)> source(std::size_t size, std::size_t &pulled) {
    return [size, &pulled](std::span<std::byte> buffer) -> Pulled {
        const std::size_t count = std::min(buffer.size(), size - pulled);
        std::fill_n(buffer.begin(), count, std::byte{'x'});
        pulled += count;
        return {count, pulled == size};
    };
}

TEST(Session, AStalledReaderStopsNobodyElse) {
    Pair pair;
    constexpr std::size_t size = 32U << 20U;
    std::size_t pulled[9] = {};
    std::size_t next = 0;
    pair.on_request = [&](const Request &, const Stream &stream) {
        StreamCallbacks callbacks;
        callbacks.on_pull = source(size, pulled[next++]);
        stream.set_callbacks(callbacks);
        stream.respond(200);
    };
    pair.connect();

    bool stalled = true;
    std::size_t slow_bytes = 0;
    bool slow_finished = false;
    StreamCallbacks slow;
    slow.on_data = [&](Bytes data) -> std::size_t {
        if (stalled) {
            return 0;
        }
        slow_bytes += data.size();
        return data.size();
    };
    slow.on_close = [&](CloseReason reason) { slow_finished = reason == CloseReason::Finished; };
    const Stream slow_stream = pair.client.start_request("GET", "/slow", {}, false, slow);

    std::size_t fast_bytes = 0;
    int fast_finished = 0;
    for (int i = 0; i < 8; ++i) {
        StreamCallbacks fast;
        fast.on_data = [&](Bytes data) {
            fast_bytes += data.size();
            return data.size();
        };
        fast.on_close = [&](CloseReason) { ++fast_finished; };
        pair.client.start_request("GET", "/fast", {}, false, fast);
    }
    pair.run();
    EXPECT_EQ(fast_finished, 8);
    EXPECT_EQ(fast_bytes, 8 * size);
    // What the stalled reader holds back is one window, not the source.
    EXPECT_LE(pulled[0], static_cast<std::size_t>(stream_window));
    EXPECT_GT(pulled[0], 0U);

    stalled = false;
    slow_stream.resume_reading();
    pair.run();
    EXPECT_TRUE(slow_finished);
    EXPECT_EQ(slow_bytes, size);
}

TEST(Session, WhatIsNotTakenIsOfferedAgainAndTheEndWaitsForIt) {
    Pair pair;
    pair.on_request = [](const Request &, const Stream &stream) {
        stream.respond(200);
        stream.write("abcdef");
        stream.end();
    };
    pair.connect();
    std::string got;
    bool ended = false;
    bool closed = false;
    StreamCallbacks callbacks;
    callbacks.on_data = [&](Bytes data) -> std::size_t {
        got += as_text(data.first(1));
        return 1;
    };
    callbacks.on_end = [&] { ended = true; };
    callbacks.on_close = [&](CloseReason) { closed = true; };
    const Stream stream = pair.client.start_request("GET", "/", {}, false, callbacks);
    for (const std::string expected : {"a", "ab", "abc", "abcd", "abcde"}) {
        pair.run();
        EXPECT_EQ(got, expected);
        EXPECT_FALSE(ended);
        EXPECT_FALSE(closed);
        stream.resume_reading();
    }
    pair.run();
    EXPECT_EQ(got, "abcdef");
    EXPECT_TRUE(ended);
    EXPECT_TRUE(closed);
}

TEST(Session, WritingIsBoundedAndSaysWhenThereIsRoom) {
    Pair pair;
    Record at_server;
    pair.on_request = [&](const Request &, const Stream &stream) {
        stream.set_callbacks(at_server.callbacks());
        stream.respond(200);
    };
    pair.connect();
    const std::string big(write_buffer + 1000, 'y');
    Stream stream;
    std::size_t written = 0;
    StreamCallbacks callbacks;
    callbacks.on_writable = [&] {
        written += stream.write(std::string_view{big}.substr(written));
        if (written == big.size()) {
            stream.end();
        }
    };
    stream = pair.client.start_request("POST", "/", {}, true, callbacks);
    written = stream.write(big);
    EXPECT_EQ(written, write_buffer);
    pair.run();
    EXPECT_EQ(at_server.data, big);
    EXPECT_TRUE(at_server.ended);
}

TEST(Session, AResetReachesTheOtherSide) {
    Pair pair;
    Record at_server;
    pair.on_request = [&](const Request &, const Stream &stream) {
        stream.set_callbacks(at_server.callbacks());
        stream.respond(200);
    };
    pair.connect();
    Record at_client;
    const Stream stream = pair.client.start_request("POST", "/", {}, true, at_client.callbacks());
    pair.run();
    stream.reset();
    pair.run();
    EXPECT_TRUE(at_client.closed);
    EXPECT_EQ(at_client.reason, CloseReason::Reset);
    EXPECT_TRUE(at_server.closed);
    EXPECT_EQ(at_server.reason, CloseReason::Reset);
}

TEST(Session, ANewSessionEndsTheStreamsOfTheOldOneAsLost) {
    Pair pair;
    Record at_server;
    pair.on_request = [&](const Request &, const Stream &stream) {
        stream.set_callbacks(at_server.callbacks());
        stream.respond(200);
    };
    pair.connect();
    Record at_client;
    const Stream old = pair.client.start_request("POST", "/", {}, true, at_client.callbacks());
    pair.run();
    pair.server.restart();
    EXPECT_EQ(at_server.reason, CloseReason::Lost);
    pair.connect();
    EXPECT_EQ(at_client.reason, CloseReason::Lost);
    EXPECT_FALSE(old);
    EXPECT_EQ(old.write("into the void"), 0U);
    Record again;
    pair.client.start_request("POST", "/", {}, true, again.callbacks());
    pair.run();
    EXPECT_EQ(again.status, 200);
}

TEST(Session, BadInputEndsItWithAReason) {
    Pair pair;
    pair.connect();
    Record record;
    pair.client.start_request("GET", "/", {}, false, record.callbacks());
    pair.client.receive(as_bytes(std::string(100, '\xff')));
    EXPECT_FALSE(pair.client.connected());
    EXPECT_NE(pair.client_lost, "");
    EXPECT_EQ(record.reason, CloseReason::Lost);
    EXPECT_THROW(pair.client.start_request("GET", "/", {}, false, {}), Error);
}

TEST(Session, ACallbackMayRestartTheClient) {
    Pair pair;
    pair.on_request = [](const Request &, const Stream &stream) {
        stream.respond(200);
        stream.write("x");
    };
    pair.connect();
    Record other;
    pair.client.start_request("GET", "/", {}, false, other.callbacks());
    StreamCallbacks callbacks;
    callbacks.on_data = [&](Bytes data) {
        pair.client.restart();
        return data.size();
    };
    pair.client.start_request("GET", "/", {}, false, callbacks);
    pair.run();
    EXPECT_EQ(other.reason, CloseReason::Lost);
    EXPECT_TRUE(pair.client.connected());
}

TEST(Session, AThrowingCallbackCostsItsStreamOnly) {
    Pair pair;
    pair.on_request = [](const Request &, const Stream &stream) {
        stream.respond(200);
        stream.write("x");
        stream.end();
    };
    pair.connect();
    CloseReason reason = CloseReason::Finished;
    StreamCallbacks bad;
    bad.on_data = [](Bytes) -> std::size_t { throw std::runtime_error("no"); };
    bad.on_close = [&](CloseReason why) { reason = why; };
    pair.client.start_request("GET", "/", {}, false, bad);
    Record good;
    pair.client.start_request("GET", "/", {}, false, good.callbacks());
    pair.run();
    EXPECT_EQ(reason, CloseReason::Reset);
    EXPECT_EQ(good.data, "x");
    EXPECT_EQ(good.reason, CloseReason::Finished);
}

TEST(Session, HoldsManyStreamsAtOnceAndSaysWhenThereAreTooMany) {
    Pair pair;
    std::size_t requests = 0;
    pair.on_request = [&](const Request &, const Stream &stream) {
        ++requests;
        stream.respond(200);
    };
    pair.connect();
    for (std::uint32_t i = 0; i < max_streams; ++i) {
        pair.client.start_request("GET", "/", {}, true, {});
    }
    pair.run();
    EXPECT_EQ(requests, max_streams);
    EXPECT_THROW(pair.client.start_request("GET", "/", {}, true, {}), Error);
}

} // namespace
} // namespace banger::channel
