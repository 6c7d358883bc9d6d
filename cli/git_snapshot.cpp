#include "cli/git_snapshot.hpp"

#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>

namespace banger::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_whole_history = 128 * MiB;

// What the answer of `git status` depends on, and who commits.
constexpr std::array copied_settings{"core.autocrlf",
                                     "core.eol",
                                     "core.safecrlf",
                                     "core.filemode",
                                     "core.ignorecase",
                                     "core.symlinks",
                                     "core.quotepath",
                                     "core.trustctime",
                                     "core.checkstat",
                                     "core.sparsecheckout",
                                     "core.sparsecheckoutcone",
                                     "core.whitespace",
                                     "status.showuntrackedfiles",
                                     "status.renames",
                                     "status.renamelimit",
                                     "status.relativepaths",
                                     "diff.renames",
                                     "diff.renamelimit",
                                     "user.name",
                                     "user.email"};

bool is_copied(const std::string &key) {
    const auto between = [&](std::string_view section, std::string_view suffix) {
        return key.starts_with(section) && key.ends_with(suffix) &&
               key.size() > section.size() + suffix.size();
    };
    return std::find(copied_settings.begin(), copied_settings.end(), key) !=
               copied_settings.end() ||
           between("remote.", ".url") || between("remote.", ".fetch") ||
           between("branch.", ".remote") || between("branch.", ".merge");
}

class Snapshot {
public:
    Snapshot(const Workspace &workspace, const fs::path &directory)
        : workspace_(workspace), git_(workspace.git()), directory_(directory),
          branch_(workspace.options().branch) {}

    void make() {
        for (const char *folder :
             {"objects/pack", "objects/info", "refs/heads", "refs/tags", "info"}) {
            make_private_directories(directory_ / folder);
        }
        whole_ = holds_whole_history();
        write_head();
        copy_index();
        collect_refs();
        copy_operation();
        write_shallow();
        pack();
        write("packed-refs", packed_refs_);
        write_config();
        copy_info();
    }

private:
    void write(const fs::path &name, std::string_view text) const {
        write_file_atomically(directory_ / name, text, 0644);
    }

    fs::path host_file(const std::string &name) const {
        return git_.line({"rev-parse", "--path-format=absolute", "--git-path", name});
    }

    bool holds_whole_history() const {
        if (git_.try_line({"config", "extensions.partialClone"})) {
            return false;
        }
        std::uint64_t kib = 0;
        const std::string counts = git_.read({"count-objects", "-v"});
        for (const std::string_view field : {"\nsize-pack: ", "\nsize: "}) {
            if (const auto at = ("\n" + counts).find(field); at != std::string::npos) {
                kib += std::strtoull(("\n" + counts).c_str() + at + field.size(), nullptr, 10);
            }
        }
        return kib * KiB < max_whole_history;
    }

    void write_head() {
        std::string head = branch_.empty()
                               ? git_.try_line({"symbolic-ref", "--quiet", "HEAD"}).value_or("")
                               : "refs/heads/" + branch_;
        write("HEAD", head.empty() ? workspace_.commit() + "\n" : "ref: " + head + "\n");
        if (!head.empty() && !workspace_.commit().empty()) {
            refs_.insert(head + " " + workspace_.commit());
        }
        if (!workspace_.commit().empty()) {
            tips_.push_back(workspace_.commit());
        }
    }

    void copy_index() {
        const fs::path index = directory_ / "index";
        const Git own = git_.with_index(index);
        if (!workspace_.options().from.empty()) {
            own.read({"read-tree", workspace_.commit()});
            return;
        }
        const fs::path source = host_file("index");
        if (!fs::exists(source)) {
            return;
        }
        fs::copy_file(source, index);
        // What only this host can use: its shared index, its cache of untracked files.
        own.read({"-c", "core.splitIndex=false", "-c", "core.untrackedCache=false", "update-index",
                  "--no-split-index", "--force-write-index"});
    }

    void add_refs(const std::string &pattern) {
        const std::string listing = git_.read({"for-each-ref", "--merged=" + workspace_.commit(),
                                               "--format=%(refname) %(objectname)", pattern});
        for (std::size_t at = 0; at < listing.size();) {
            const std::size_t end = std::min(listing.find('\n', at), listing.size());
            const std::string line = listing.substr(at, end - at);
            at = end + 1;
            refs_.insert(line);
            tips_.push_back(line.substr(line.rfind(' ') + 1));
        }
    }

    void collect_refs() {
        if (whole_ && !workspace_.commit().empty()) {
            add_refs("refs/tags");
            if (const auto upstream =
                    git_.try_line({"rev-parse", "--symbolic-full-name", "@{upstream}"});
                upstream && upstream->starts_with("refs/remotes/")) {
                add_refs(*upstream);
            }
        }
        packed_refs_ = "# pack-refs with: sorted \n";
        for (const std::string &ref : refs_) {
            const std::size_t space = ref.rfind(' ');
            packed_refs_ += ref.substr(space + 1) + " " + ref.substr(0, space) + "\n";
        }
    }

    // A merge in progress: its other parents.
    void copy_operation() {
        if (!workspace_.options().branch.empty()) {
            return;
        }
        for (const char *name : {"MERGE_HEAD", "MERGE_MSG", "MERGE_MODE"}) {
            const fs::path source = host_file(name);
            if (!fs::exists(source)) {
                continue;
            }
            const std::string text = read_file(source);
            write(name, text);
            if (std::string_view{name} == "MERGE_HEAD") {
                for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
                    tips_.push_back(text.substr(at, text.find('\n', at) - at));
                    if (text.find('\n', at) == std::string::npos) {
                        break;
                    }
                }
            }
        }
    }

    void write_shallow() {
        if (!whole_) {
            shallow_ = tips_;
        } else if (const fs::path source = host_file("shallow"); fs::exists(source)) {
            write("shallow", read_file(source));
        }
        std::string text;
        for (const std::string &commit : shallow_) {
            text += commit + "\n";
        }
        if (!text.empty()) {
            write("shallow", text);
        }
    }

    void pack() const {
        std::string revisions;
        for (const std::string &commit : shallow_) {
            revisions += "--shallow " + commit + "\n";
        }
        for (const std::string &tip : tips_) {
            revisions += tip + "\n";
        }
        git_.with_index(directory_ / "index")
            .feed({"pack-objects", "--quiet", "--revs", "--indexed-objects", "--delta-base-offset",
                   (directory_ / "objects/pack/pack").native()},
                  revisions);
    }

    void write_config() const {
        const fs::path file = directory_ / "config";
        const Git &git = git_;
        const auto put = [&](const std::string &key, const std::string &value) {
            git.read({"config", "--file", file.native(), "--add", key, value});
        };
        const std::string format = git_.line({"rev-parse", "--show-object-format"});
        put("core.repositoryformatversion", format == "sha1" ? "0" : "1");
        put("core.bare", "false");
        if (format != "sha1") {
            put("extensions.objectformat", format);
        }
        // "KEY\nVALUE", or "KEY" alone for a true without "=". The last one holds, as for git.
        std::map<std::string, std::vector<std::string>> settings;
        for (const std::string &entry : split_nul(git_.read({"config", "--list", "-z"}))) {
            const std::size_t end = std::min(entry.find('\n'), entry.size());
            const std::string key = entry.substr(0, end);
            if (!is_copied(key)) {
                continue;
            }
            const std::string value = end < entry.size() ? entry.substr(end + 1) : "true";
            std::vector<std::string> &values = settings[key];
            if (!key.ends_with(".url") && !key.ends_with(".fetch")) {
                values.clear();
            }
            values.push_back(key.ends_with(".url") ? without_credentials(value) : value);
        }
        for (const auto &[key, values] : settings) {
            for (const std::string &value : values) {
                put(key, value);
            }
        }
    }

    void copy_info() const {
        for (const char *name : {"info/exclude", "info/attributes", "info/sparse-checkout"}) {
            if (const fs::path source = host_file(name); fs::exists(source)) {
                write(name, read_file(source));
            }
        }
    }

    const Workspace &workspace_;
    const Git &git_;
    fs::path directory_;
    std::string branch_;
    bool whole_ = true;
    std::vector<std::string> tips_;
    std::vector<std::string> shallow_;
    std::set<std::string> refs_;
    std::string packed_refs_;
};

} // namespace

void make_git_snapshot(const Workspace &workspace, const std::filesystem::path &directory) {
    Snapshot(workspace, directory).make();
}

} // namespace banger::cli
