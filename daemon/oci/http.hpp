#pragma once

#include "daemon/oci/settings.hpp"

#include <curl/curl.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// HTTP by libcurl. Proxies are taken from the environment as curl(1) does.
namespace banger::oci {

struct HttpRequest {
    std::string url;
    std::vector<std::string> headers; ///< "Name: value"; not sent on to another host
    std::optional<std::string> form;  ///< POST, x-www-form-urlencoded; no redirects then
    std::optional<std::uint64_t> range_from;
    bool plain_http = false; ///< also "http:", also after a redirect
};

class TransferSet;

/// One request on its way, from construction to destruction.
class Transfer {
public:
    /// Gets the body in pieces, of any status; see status(). An exception ends the transfer.
    using OnBody = std::function<void(std::span<const std::byte>)>;

    Transfer(TransferSet &set, const HttpRequest &request, const HttpSettings &settings,
             OnBody on_body);
    ~Transfer();
    Transfer(const Transfer &) = delete;
    Transfer &operator=(const Transfer &) = delete;

    /// Of the last answer; 0 before there is one.
    long status() const;
    /// Of the last answer, several of one name joined by ", ".
    std::optional<std::string> header(const char *name) const;
    /// The Retry-After of the answer in seconds, at most 30 s.
    std::optional<std::chrono::milliseconds> retry_after() const;
    /// What on_body threw.
    std::exception_ptr thrown() const noexcept { return thrown_; }
    /// Why it failed, for people; without address and headers.
    std::string reason(CURLcode code) const;

private:
    friend class TransferSet;
    static std::size_t write(char *data, std::size_t size, std::size_t count, void *self);

    struct FreeEasy {
        void operator()(CURL *handle) const;
    };
    struct FreeList {
        void operator()(curl_slist *list) const { ::curl_slist_free_all(list); }
    };

    TransferSet &set_;
    OnBody on_body_;
    std::exception_ptr thrown_;
    std::array<char, CURL_ERROR_SIZE> error_{};
    std::unique_ptr<curl_slist, FreeList> headers_;
    std::unique_ptr<CURL, FreeEasy> handle_;
};

/// Transfers that run together on one thread. They must be gone before it is.
class TransferSet {
public:
    /// A stop request ends each wait() with Error{Cancelled}.
    explicit TransferSet(std::stop_token stop);

    struct Finished {
        Transfer *transfer;
        CURLcode code;
    };
    /// Until a transfer has finished, or the time is over: then nothing. Throws Error.
    std::vector<Finished> wait(std::chrono::milliseconds timeout);
    /// As wait(), but only until anything has happened: bytes may have come.
    std::vector<Finished> wait_for_event(std::chrono::milliseconds timeout);

private:
    friend class Transfer;
    std::vector<Finished> perform();
    struct Global {
        Global();
        ~Global();
        Global(const Global &) = delete;
        Global &operator=(const Global &) = delete;
    };
    struct FreeMulti {
        void operator()(CURLM *multi) const;
    };
    struct Wake {
        CURLM *multi;
        void operator()() const noexcept { ::curl_multi_wakeup(multi); }
    };

    Global global_;
    std::unique_ptr<CURLM, FreeMulti> multi_;
    std::stop_token stop_;
    std::stop_callback<Wake> wake_;
};

/// What may be different the next time: cut and refused connections, 429 and 5xx.
bool is_transient(CURLcode code, long status);
/// What to do about a failure, for the end of a message.
std::string_view advice(CURLcode code);
/// Nobody was reached at all.
bool is_unreachable(CURLcode code);
/// How long to wait after so many failures.
std::chrono::milliseconds retry_delay(const HttpSettings &settings, unsigned failures,
                                      std::optional<std::chrono::milliseconds> retry_after);
/// How often to try again what failed so.
unsigned retries_for(const HttpSettings &settings, CURLcode code);

struct HttpResponse {
    long status;
    std::string body;
    std::string content_type; ///< without parameters
    std::string www_authenticate;
    std::optional<std::string> docker_digest; ///< Docker-Content-Digest
    std::string etag;
    std::string last_modified;
};

/// Runs one request to its end, with retries; nothing else may be in the set. `what` is what is
/// done, for messages: "ask registry ghcr.io for org/img:1". Throws Error: NetworkUnavailable when
/// the server was not reached, LimitsExceeded for a body over `limit` bytes, Cancelled.
HttpResponse perform(TransferSet &set, const HttpRequest &request, const HttpSettings &settings,
                     std::size_t limit, const std::string &what);

} // namespace banger::oci
