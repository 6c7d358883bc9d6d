#include "cli/doctor_host.hpp"
#include "cli/doctor_services.hpp"
#include "cli/terminal.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>

namespace banger::cli {
namespace {

struct Look {
    const char *word;
    const char *json;
    const char *color;
};

Look look_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::Pass:
        return {"PASS", "pass", "\x1b[32m"};
    case Verdict::Warn:
        return {"WARN", "warn", "\x1b[33m"};
    case Verdict::Fail:
        break;
    }
    return {"FAIL", "fail", "\x1b[31m"};
}

// bangerd's row stands for ours where both tell of the same thing.
void merge(DoctorRows &rows, const DoctorRows &from_services) {
    for (const DoctorRow &row : from_services) {
        const auto same = std::find_if(
            rows.begin(), rows.end(), [&](const DoctorRow &mine) { return mine.name == row.name; });
        if (same != rows.end()) {
            *same = row;
        } else {
            rows.push_back(row);
        }
    }
}

void print_rows(const DoctorRows &rows) {
    const bool color = wants_color(STDOUT_FILENO);
    std::size_t width = 0;
    for (const DoctorRow &row : rows) {
        width = std::max(width, display_width(row.name));
    }
    for (const DoctorRow &row : rows) {
        const Look look = look_of(row.verdict);
        fmt::print("{}{}{}  {}{}  {}\n", color ? look.color : "", look.word, color ? "\x1b[0m" : "",
                   row.name, std::string(width - display_width(row.name), ' '),
                   printable(row.detail));
        if (!row.remedy.empty() && row.verdict != Verdict::Pass) {
            fmt::print("{}→ {}\n", std::string(width + 8, ' '), printable(row.remedy));
        }
    }
}

int run(bool as_json) {
    DoctorRows rows = examine_host();
    merge(rows, examine_services());
    if (as_json) {
        auto json = nlohmann::ordered_json::array();
        for (const DoctorRow &row : rows) {
            json.push_back({{"name", row.name},
                            {"verdict", look_of(row.verdict).json},
                            {"detail", row.detail},
                            {"remedy", row.remedy}});
        }
        fmt::print("{}\n", json.dump(2));
    } else {
        print_rows(rows);
    }
    const bool failed = std::any_of(rows.begin(), rows.end(), [](const DoctorRow &row) {
        return row.verdict == Verdict::Fail;
    });
    return failed ? exit_status::failure : 0;
}

} // namespace

void add_doctor(CLI::App &root, Context &context) {
    const auto json = std::make_shared<bool>(false);
    CLI::App *verb = root.add_subcommand(
        "doctor", "Examine this host, and say what to do about what is wrong; changes nothing");
    verb->add_flag("--json", *json, "Print as JSON");
    verb->callback([json, &context] { context.action = [json] { return run(*json); }; });
}

} // namespace banger::cli
