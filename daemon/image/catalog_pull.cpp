#include "daemon/image/catalog_pull.hpp"

namespace banger::image {
namespace {

/// Makes `job` show what `leader` does, and end as it does.
void follow(const std::shared_ptr<job::Job> &job, const std::shared_ptr<job::Job> &leader) {
    const auto show = [job](const job::Snapshot &now) {
        if (now.stage != job->snapshot().stage) {
            job->stage(now.stage, now.progress);
        }
        job->progress(now.progress);
        job->bytes(now.bytes_done, now.bytes_total);
        if (now.state == job::State::Done) {
            job->done();
        } else if (now.state != job::State::Running) {
            job->failed(now.error.value_or(Error{ErrorCode::Cancelled, "cancelled"}));
        }
    };
    job->on_cancel([leader] { leader->cancel(); });
    if (leader->running()) {
        leader->observe(show);
    }
    show(leader->snapshot());
}

} // namespace

Registry::CatalogPull::CatalogPull(Registry &registry, PullRequest request,
                                   std::shared_ptr<job::Job> fetch, std::shared_ptr<job::Job> job)
    : Making(registry, request.name, "the catalog's " + request.reference, std::move(job)),
      request_(std::move(request)), fetch_(std::move(fetch)) {}

void Registry::CatalogPull::start() {
    job()->stage("fetching the catalogs", 0);
    // The fetch itself may be others' too: it goes on.
    job()->on_cancel([weak = weak_from_this()] {
        if (const auto self = weak.lock()) {
            self->cancelled();
        }
    });
    if (!fetch_->running()) {
        fetched(fetch_->snapshot());
        return;
    }
    fetch_->observe([weak = weak_from_this()](const job::Snapshot &now) {
        const auto self = weak.lock();
        if (self && now.state != job::State::Running) {
            self->fetched(now);
        }
    });
}

void Registry::CatalogPull::cancelled() {
    const auto own = job();
    forget();
    own->on_cancel({});
    own->failed(Error{ErrorCode::Cancelled, "cancelled"});
}

void Registry::CatalogPull::fetched(const job::Snapshot &fetch) {
    const auto self = shared_from_this();
    const auto own = job();
    own->on_cancel({});
    forget();
    try {
        follow(own, registry().pull_known(std::move(request_)));
    } catch (const Error &error) {
        // Perhaps only because a server was not reached.
        own->failed(fetch.error ? Error{error.code(),
                                        fmt::format("{} ({})", error.what(), fetch.error->what())}
                                : error);
    }
}

} // namespace banger::image
