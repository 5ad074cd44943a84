#!/usr/bin/env bash
# Which test modules a change needs, for scripts/test --quick. Reads imports and no package, so it takes less than a second.
# Sourced after common.sh, never run.

# shellcheck disable=SC2154  # common.sh assigns root

# change_base: the commit that a change begins at. With an upstream branch it is the last commit that both have, otherwise the commit before
# the last one. Fails where there is no such commit.
change_base() {
    git -C "$root" merge-base HEAD '@{upstream}' 2>/dev/null || git -C "$root" rev-parse --verify --quiet HEAD~1
}

# changed_files BASE: what differs from BASE: commits, uncommitted changes and new files. A renamed file has both names.
changed_files() {
    {
        git -C "$root" diff --name-only --no-renames "$1" -- &&
            git -C "$root" ls-files --others --exclude-standard
    } | sort -u
}

# all_test_modules: their names, sorted.
all_test_modules() { (cd "$root/Tests" && printf '%s\n' *Tests); }

# test_modules_of FILE…: the test modules that these files need, sorted:
# - of a module, its own test module and the test modules of the modules that import it directly;
# - of a test module, itself;
# - of what tests share, the test modules that name it;
# - of another file, the test modules whose sources have the file's name in quotation marks, with or without a folder before it.
# ArchitectureTests reads all files, and so it always belongs to them.
test_modules_of() {
    local file name
    {
        printf '%s\n' ArchitectureTests
        for file in "$@"; do
            name=${file#*/}
            name=${name%%/*}
            case $file in
            Package.swift) all_test_modules ;;
            Sources/*/*)
                test_module_of "$name"
                importers_of "$name"
                ;;
            Tests/*Tests/*) printf '%s\n' "$name" ;;
            Tests/*/*) test_modules_that_name "$name" ;;
            *.*) test_modules_that_name "/${file##*/}\"" "\"${file##*/}\"" ;;
            # A name such as `test` alone would be found everywhere.
            *) test_modules_that_name "$file\"" ;;
            esac
        done
    } | sort -u | while IFS= read -r name; do
        # A module that is gone has no tests any more.
        if [[ -d $root/Tests/$name ]]; then printf '%s\n' "$name"; fi
    done
}

test_module_of() { if [[ $1 == rangefinder ]]; then printf 'CommandTests\n'; else printf '%sTests\n' "$1"; fi; }

# importers_of MODULE: the test modules of the modules that import it directly.
importers_of() {
    local file module
    while IFS= read -r file; do
        module=${file#"$root/Sources/"}
        test_module_of "${module%%/*}"
    done < <(grep -rlE --include='*.swift' "^ *([a-z]+ |@[A-Za-z_]+(\([a-z]+\))? )*import ([a-z]+ )?$1(\.|;| |\$)" "$root/Sources")
}

# test_modules_that_name TEXT…: the test modules whose sources have one of these texts.
test_modules_that_name() {
    local file module patterns=("${@/#/--regexp=}")
    while IFS= read -r file; do
        module=${file#"$root/Tests/"}
        module=${module%%/*}
        if [[ $module == *Tests ]]; then printf '%s\n' "$module"; fi
    done < <(grep -rlF "${patterns[@]}" "$root/Tests")
}
