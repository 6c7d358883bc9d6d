#include "daemon/oci/http.hpp"

#include "base/error.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace banger::oci {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds max_delay{30'000};
constexpr long low_speed_bytes = 1024;
constexpr long max_redirects = 5;

template <typename Value>
void set_option(CURL *handle, CURLoption option, Value value) {
    if (const CURLcode code = ::curl_easy_setopt(handle, option, value); code != CURLE_OK) {
        fail(ErrorCode::Internal, "libcurl refuses option {}: {}", static_cast<int>(option),
             ::curl_easy_strerror(code));
    }
}

void check_multi(CURLMcode code) {
    if (code != CURLM_OK) {
        fail(ErrorCode::Internal, "libcurl: {}", ::curl_multi_strerror(code));
    }
}

// TLS writes to a socket that the other side has closed: EPIPE is enough, the signal is not for us.
// libcurl would ignore it for the whole process.
class WithoutSigpipe {
public:
    WithoutSigpipe() {
        sigemptyset(&sigpipe_);
        sigaddset(&sigpipe_, SIGPIPE);
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
    }
    ~WithoutSigpipe() {
        const timespec at_once{0, 0};
        while (!was_pending_ && ::sigtimedwait(&sigpipe_, nullptr, &at_once) < 0 &&
               errno == EINTR) {
        }
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }
    WithoutSigpipe(const WithoutSigpipe &) = delete;
    WithoutSigpipe &operator=(const WithoutSigpipe &) = delete;

private:
    sigset_t sigpipe_{};
    sigset_t before_{};
    bool was_pending_ = false;
};

} // namespace

void Transfer::FreeEasy::operator()(CURL *handle) const {
    const WithoutSigpipe guard;
    ::curl_easy_cleanup(handle);
}

void TransferSet::FreeMulti::operator()(CURLM *multi) const {
    const WithoutSigpipe guard;
    ::curl_multi_cleanup(multi);
}

Transfer::Transfer(TransferSet &set, const HttpRequest &request, const HttpSettings &settings,
                   OnBody on_body)
    : set_(set), on_body_(std::move(on_body)), handle_(::curl_easy_init()) {
    if (!handle_) {
        throw std::bad_alloc{};
    }
    CURL *handle = handle_.get();
    for (const std::string &header : request.headers) {
        // On failure the list stays ours and as it was.
        curl_slist *longer = ::curl_slist_append(headers_.get(), header.c_str());
        if (longer == nullptr) {
            throw std::bad_alloc{};
        }
        static_cast<void>(headers_.release());
        headers_.reset(longer);
    }
    const char *protocols = request.plain_http ? "http,https" : "https";
    set_option(handle, CURLOPT_URL, request.url.c_str());
    set_option(handle, CURLOPT_PRIVATE, static_cast<void *>(this));
    set_option(handle, CURLOPT_ERRORBUFFER, error_.data());
    set_option(handle, CURLOPT_HTTPHEADER, headers_.get());
    set_option(handle, CURLOPT_USERAGENT, "banger/" BANGER_VERSION);
    set_option(handle, CURLOPT_NOSIGNAL, 1L);
    set_option(handle, CURLOPT_PROTOCOLS_STR, protocols);
    set_option(handle, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    // A form holds a secret, which curl would send on to any host.
    set_option(handle, CURLOPT_FOLLOWLOCATION, request.form ? 0L : 1L);
    set_option(handle, CURLOPT_MAXREDIRS, max_redirects);
    set_option(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings.connect_timeout.count()));
    set_option(handle, CURLOPT_LOW_SPEED_LIMIT, low_speed_bytes);
    set_option(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings.low_speed_time.count()));
    set_option(handle, CURLOPT_BUFFERSIZE, 256L << 10U);
    set_option(handle, CURLOPT_WRITEFUNCTION, &Transfer::write);
    set_option(handle, CURLOPT_WRITEDATA, static_cast<void *>(this));
    if (request.form) {
        set_option(handle, CURLOPT_COPYPOSTFIELDS, request.form->c_str());
    }
    if (request.range_from) {
        set_option(handle, CURLOPT_RANGE, fmt::format("{}-", *request.range_from).c_str());
    }
    check_multi(::curl_multi_add_handle(set_.multi_.get(), handle));
}

Transfer::~Transfer() {
    const WithoutSigpipe guard;
    ::curl_multi_remove_handle(set_.multi_.get(), handle_.get());
}

long Transfer::status() const {
    long status = 0;
    ::curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
}

std::optional<std::string> Transfer::header(const char *name) const {
    std::optional<std::string> result;
    curl_header *found = nullptr;
    constexpr int last_answer = -1;
    for (std::size_t i = 0;
         ::curl_easy_header(handle_.get(), name, i, CURLH_HEADER, last_answer, &found) == CURLHE_OK;
         ++i) {
        result = result ? *result + ", " + found->value : std::string(found->value);
    }
    return result;
}

std::optional<milliseconds> Transfer::retry_after() const {
    curl_off_t seconds = 0;
    if (::curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK ||
        seconds <= 0) {
        return std::nullopt;
    }
    return std::chrono::seconds{std::min<curl_off_t>(seconds, 30)};
}

std::string Transfer::reason(CURLcode code) const {
    return error_.front() != '\0' ? std::string(error_.data()) : ::curl_easy_strerror(code);
}

std::size_t Transfer::write(char *data, std::size_t size, std::size_t count, void *self_pointer) {
    auto *self = static_cast<Transfer *>(self_pointer);
    try {
        self->on_body_(std::as_bytes(std::span{data, size * count}));
        return size * count;
    } catch (...) {
        self->thrown_ = std::current_exception();
        return CURL_WRITEFUNC_ERROR;
    }
}

TransferSet::Global::Global() {
    if (const CURLcode code = ::curl_global_init(CURL_GLOBAL_DEFAULT); code != CURLE_OK) {
        fail(ErrorCode::Internal, "libcurl does not start: {}", ::curl_easy_strerror(code));
    }
}

TransferSet::Global::~Global() {
    ::curl_global_cleanup();
}

TransferSet::TransferSet(std::stop_token stop)
    : multi_(::curl_multi_init()), stop_(std::move(stop)), wake_(stop_, Wake{multi_.get()}) {
    if (!multi_) {
        throw std::bad_alloc{};
    }
}

std::vector<TransferSet::Finished> TransferSet::perform() {
    if (stop_.stop_requested()) {
        fail(ErrorCode::Cancelled, "the download was cancelled");
    }
    int running = 0;
    check_multi(::curl_multi_perform(multi_.get(), &running));
    std::vector<Finished> finished;
    int left = 0;
    while (CURLMsg *message = ::curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg == CURLMSG_DONE) {
            char *transfer = nullptr;
            ::curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
            finished.push_back({reinterpret_cast<Transfer *>(transfer), message->data.result});
        }
    }
    return finished;
}

std::vector<TransferSet::Finished> TransferSet::wait(milliseconds timeout) {
    const WithoutSigpipe guard;
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        auto finished = perform();
        const auto rest = std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now());
        if (!finished.empty() || rest <= milliseconds::zero()) {
            return finished;
        }
        check_multi(
            ::curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(rest.count()), nullptr));
    }
}

std::vector<TransferSet::Finished> TransferSet::wait_for_event(milliseconds timeout) {
    const WithoutSigpipe guard;
    check_multi(
        ::curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(timeout.count()), nullptr));
    return perform();
}

bool is_transient(CURLcode code, long status) {
    switch (code) {
    case CURLE_OK:
        return status == 429 || status >= 500;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    default:
        return false;
    }
}

std::string_view advice(CURLcode code) {
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return "add the certificate of its authority to the system's, see "
               "update-ca-certificates(8)";
    case CURLE_SSL_CONNECT_ERROR:
        return "if it speaks plain HTTP, list it as an insecure registry";
    default:
        return "check the network, and the proxy if there is one";
    }
}

bool is_unreachable(CURLcode code) {
    return code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_CONNECT;
}

milliseconds retry_delay(const HttpSettings &settings, unsigned failures,
                         std::optional<milliseconds> retry_after) {
    if (retry_after) {
        return *retry_after;
    }
    return std::min(max_delay, settings.retry_delay * (1U << std::min(failures, 10U)));
}

unsigned retries_for(const HttpSettings &settings, CURLcode code) {
    // Without a network there is none in half a minute either.
    return is_unreachable(code) ? std::min(settings.max_retries, 2U) : settings.max_retries;
}

HttpResponse perform(TransferSet &set, const HttpRequest &request, const HttpSettings &settings,
                     std::size_t limit, const std::string &what) {
    for (unsigned failures = 0;; ++failures) {
        HttpResponse response{};
        Transfer transfer{
            set, request, settings, [&](std::span<const std::byte> bytes) {
                if (response.body.size() + bytes.size() > limit) {
                    fail(ErrorCode::LimitsExceeded, "cannot {}: the answer is larger than {} bytes",
                         what, limit);
                }
                response.body.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
            }};
        std::vector<TransferSet::Finished> finished;
        while (finished.empty()) {
            finished = set.wait(std::chrono::minutes{1});
        }
        const CURLcode code = finished.front().code;
        if (transfer.thrown()) {
            std::rethrow_exception(transfer.thrown());
        }
        response.status = transfer.status();
        if (is_transient(code, response.status) && failures < retries_for(settings, code)) {
            set.wait(retry_delay(settings, failures, transfer.retry_after()));
            continue;
        }
        if (code != CURLE_OK) {
            fail(ErrorCode::NetworkUnavailable, "cannot {}: {}; {}", what, transfer.reason(code),
                 advice(code));
        }
        response.content_type = transfer.header("Content-Type").value_or("");
        response.content_type.resize(
            std::min(response.content_type.find(';'), response.content_type.size()));
        response.www_authenticate = transfer.header("WWW-Authenticate").value_or("");
        response.docker_digest = transfer.header("Docker-Content-Digest");
        response.etag = transfer.header("ETag").value_or("");
        response.last_modified = transfer.header("Last-Modified").value_or("");
        return response;
    }
}

} // namespace banger::oci
