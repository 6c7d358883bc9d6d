#include "cli/artifacts.hpp"
#include "cli/available_kernels.hpp"
#include "cli/completer.hpp"
#include "cli/verbs.hpp"
#include "cli/vm_info.hpp"

#include <array>
#include <cstdio>

namespace banger::cli {
namespace {

// Each asks `banger __complete -- WORD…`, which prints a candidate and its description with a tab
// between them, one a line, and ":files" where files are wanted.
constexpr const char *bash_script = R"(# bash completion for banger
_banger() {
    local candidate
    COMPREPLY=()
    while IFS=$'\t' read -r candidate _; do
        if [ "$candidate" = ":files" ]; then
            compopt -o filenames 2>/dev/null
            mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        else
            COMPREPLY+=("$candidate")
        fi
    done < <(banger __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _banger banger
)";

constexpr const char *zsh_script = R"(#compdef banger
# zsh completion for banger
_banger() {
    local line candidate
    local -a candidates
    for line in "${(@f)$(banger __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        candidate="${line%%$'\t'*}"
        if [[ "$candidate" == ":files" ]]; then
            _files
        elif [[ -n "$candidate" ]]; then
            candidates+=("${candidate//:/\\:}:${line#*$'\t'}")
        fi
    done
    (( ${#candidates} )) && _describe 'banger' candidates
}
if [ "$funcstack[1]" = "_banger" ]; then
    _banger "$@"
else
    compdef _banger banger
fi
)";

constexpr const char *fish_script = R"(# fish completion for banger
function __banger_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (banger __complete -- $words[2..-1] 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c banger -f -a '(__banger_complete)'
)";

constexpr const char *powershell_script = R"(# PowerShell completion for banger
Register-ArgumentCompleter -Native -CommandName banger -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { "$_" })
    & banger __complete '--' @words "$wordToComplete" 2>$null | ForEach-Object {
        $candidate, $description = $_ -split "`t", 2
        if ($candidate -eq ':files') {
            Get-ChildItem -Name "$wordToComplete*" | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ProviderItem', $_)
            }
        } else {
            if (-not $description) { $description = $candidate }
            [System.Management.Automation.CompletionResult]::new($candidate, $candidate, 'ParameterValue', $description)
        }
    }
}
)";

constexpr const char *how_to_load =
    "bash, for everybody:\n"
    "  banger completion bash | sudo tee /etc/bash_completion.d/banger\n"
    "bash, for you:\n"
    "  banger completion bash > ~/.local/share/bash-completion/completions/banger\n"
    "zsh (with ~/.zfunc on fpath before compinit):\n"
    "  banger completion zsh > ~/.zfunc/_banger\n"
    "fish:\n"
    "  banger completion fish > ~/.config/fish/completions/banger.fish\n"
    "PowerShell, in your profile:\n"
    "  banger completion powershell | Out-String | Invoke-Expression\n\n"
    "Names of VMs, images and kernels are asked from bangerd; where it does not run, none are\n"
    "offered, and it is not started.";

struct Script {
    std::string_view shell;
    const char *text;
};
constexpr std::array<Script, 4> scripts{{{"bash", bash_script},
                                         {"zsh", zsh_script},
                                         {"fish", fish_script},
                                         {"powershell", powershell_script}}};

std::vector<std::string> live_names(const std::string &wanted) {
    std::vector<std::string> found;
    try {
        Client client;
        if (!client.daemon_running()) {
            return found;
        }
        if (wanted == kind::vm) {
            for (const VmInfo &vm : list_vms(client)) {
                found.push_back(vm.name);
            }
            return found;
        }
        if (wanted == kind::available_kernel) {
            for (const AvailableKernel &kernel : list_available_kernels(client)) {
                found.push_back(kernel.name);
            }
            return found;
        }
        for (const Artifact &artifact : list_artifacts(
                 client.objects(), wanted == kind::image ? names::image : names::kernel)) {
            found.push_back(artifact.name);
        }
    } catch (const Error &) {
        // A prompt is no place for complaints.
    }
    return found;
}

void print_candidates(const CLI::App &root, const std::vector<std::string> &words) {
    const Candidates candidates = complete(root, words, live_names);
    for (const auto &word : candidates.words) {
        fmt::print("{}{}{}\n", word.text, word.description.empty() ? "" : "\t", word.description);
    }
    if (candidates.files) {
        fmt::print(":files\n");
    }
}

} // namespace

void add_completion(CLI::App &root, Context &context) {
    const auto shell = std::make_shared<std::string>();
    CLI::App *verb = root.add_subcommand("completion", "Print the completion script of a shell");
    verb->footer(how_to_load);
    verb->add_option("SHELL", *shell, "bash, zsh, fish or powershell")
        ->type_name(kind::shell)
        ->required();
    verb->callback([shell, &context] {
        for (const Script &script : scripts) {
            if (script.shell == *shell) {
                context.action = [&script] {
                    std::fputs(script.text, stdout);
                    return 0;
                };
                return;
            }
        }
        throw CLI::ValidationError(
            fmt::format("there is no completion for '{}': bash, zsh, fish and powershell", *shell));
    });

    CLI::App *hidden = root.add_subcommand(complete_verb, "Complete the words after --");
    hidden->group("");
    hidden->callback([&root, &context] {
        context.action = [&root, &context] {
            print_candidates(root, context.command.value_or(std::vector<std::string>{}));
            return 0;
        };
    });
}

} // namespace banger::cli
