import ArgumentParser

/// ArgumentParser's script for bash offers no arguments behind a group of commands that stands for one of them, as `history TARGET` does for
/// `history show TARGET`. Here it offers those of that one, too. Any other text is returned as it is.
func withDefaultCommands(_ script: String) -> String {
    guard script.hasPrefix("#!/bin/bash") else { return script }
    let groups = [
        HistoryCommand.configuration, TargetsCommand.configuration, IncidentsCommand.configuration,
        MaintenanceCommand.configuration,
    ]
    return groups.reduce(script) { script, group in
        let names = group.subcommands.map { $0.configuration.commandName ?? "" }.joined(separator: " ")
        let offer = "COMPREPLY+=($(compgen -W '\(names)' -- \"${cur}\"))\n"
        let chosen = "_rangefinder_\(group.commandName ?? "")_\(group.defaultSubcommand?.configuration.commandName ?? "")"
        return script.replacing(
            offer, with: offer + "        unparsed_words=(\"${COMP_WORDS[@]:2:${COMP_CWORD}-1}\")\n        \(chosen)\n")
    }
}
