#include "cli/completer.hpp"

#include <algorithm>

namespace banger::cli {
namespace {

bool is_shown(const CLI::App *app) {
    return !app->get_group().empty() && !app->get_name().empty();
}

bool takes_value(const CLI::Option *option) {
    return option->get_items_expected_max() > 0;
}

const CLI::App *find_verb(const CLI::App &app, const std::string &name) {
    const auto found = app.get_subcommands([&](const CLI::App *verb) {
        const auto &aliases = verb->get_aliases();
        return verb->get_name() == name ||
               std::find(aliases.begin(), aliases.end(), name) != aliases.end();
    });
    return found.empty() ? nullptr : found.front();
}

const CLI::Option *find_option(const CLI::App &app, const std::string &word) {
    const auto found = app.get_options([&](const CLI::Option *option) {
        return option->nonpositional() && option->check_name(word);
    });
    return found.empty() ? nullptr : found.front();
}

std::string first_line(const std::string &text) {
    return text.substr(0, text.find('\n'));
}

class Completion {
public:
    Completion(const CLI::App &root, const LiveNames &live_names)
        : app_(&root), live_names_(live_names) {}

    void pass(const std::string &word) {
        if (command_) {
            return;
        }
        if (waiting_ != nullptr) {
            waiting_ = nullptr;
        } else if (word == "--") {
            command_ = true;
        } else if (word.starts_with('-')) {
            const CLI::Option *option = find_option(*app_, word);
            waiting_ = option != nullptr && takes_value(option) ? option : nullptr;
        } else if (const CLI::App *verb = find_verb(*app_, word)) {
            app_ = verb;
        } else {
            ++operands_;
        }
    }

    Candidates at(const std::string &word) {
        prefix_ = word;
        if (command_) {
            // A program of the guest: nothing here knows them.
            return {};
        }
        if (waiting_ != nullptr) {
            offer_kind(waiting_->get_type_name());
        } else if (word.starts_with('-')) {
            offer_options();
        } else if (!offer_verbs()) {
            offer_operand();
        }
        return std::move(result_);
    }

private:
    void offer(const std::string &text, const std::string &description = {}) {
        if (text.starts_with(prefix_)) {
            result_.words.push_back({text, description});
        }
    }

    void offer_options() {
        for (const CLI::Option *option : app_->get_options()) {
            if (!option->nonpositional()) {
                continue;
            }
            for (const std::string &name : option->get_lnames()) {
                offer("--" + name, first_line(option->get_description()));
            }
            for (const std::string &name : option->get_snames()) {
                offer("-" + name, first_line(option->get_description()));
            }
        }
    }

    bool offer_verbs() {
        const auto verbs = app_->get_subcommands(is_shown);
        for (const CLI::App *verb : verbs) {
            offer(verb->get_name(), first_line(verb->get_description()));
        }
        return !verbs.empty();
    }

    void offer_operand() {
        const auto operands =
            app_->get_options([](const CLI::Option *option) { return option->get_positional(); });
        if (operands.empty()) {
            return;
        }
        const CLI::Option *operand = operands[std::min(operands_, operands.size() - 1)];
        const bool repeats = operand->get_items_expected_max() > 1;
        if (operands_ < operands.size() || repeats) {
            offer_kind(operand->get_type_name());
        }
    }

    void offer_kind(const std::string &type_name) {
        if (type_name == kind::path) {
            result_.files = true;
        } else if (type_name == kind::vm || type_name == kind::image || type_name == kind::kernel ||
                   type_name == kind::available_kernel) {
            for (const std::string &name : live_names_(type_name)) {
                offer(name);
            }
        } else if (type_name == kind::shell) {
            for (const char *name : {"bash", "zsh", "fish", "powershell"}) {
                offer(name);
            }
        }
    }

    const CLI::App *app_;
    const LiveNames &live_names_;
    const CLI::Option *waiting_ = nullptr;
    bool command_ = false;
    std::size_t operands_ = 0;
    std::string prefix_;
    Candidates result_;
};

} // namespace

Candidates complete(const CLI::App &root, const std::vector<std::string> &words,
                    const LiveNames &live_names) {
    Completion completion(root, live_names);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        completion.pass(words[i]);
    }
    return completion.at(words.empty() ? "" : words.back());
}

} // namespace banger::cli
