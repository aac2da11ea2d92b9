using System.CommandLine;
using System.CommandLine.Parsing;
using PacsStegoGateway.Security;

namespace PacsStegoGateway.Commands;

/// <summary>Which verb is which operation. A verb that stands in neither list is refused: somebody must decide about it first.</summary>
internal static class VerbRights
{
    /// <summary>They work on files and peers with what the account itself may read and reach; no key, no row, no trail.</summary>
    private static readonly HashSet<string> Free =
    [
        "check-config", "dump", "render", "echo", "send", "find", "move", "get", "phantom", "service status", "user hash", "route",
    ];

    private static readonly Dictionary<string, Operation> Needed = new()
    {
        ["run"] = Operation.RunService,
        ["service install"] = Operation.RunService,
        ["service uninstall"] = Operation.RunService,
        ["status"] = Operation.ReadStatus,
        ["queue list"] = Operation.ReadQueue,
        ["queue show"] = Operation.ReadQueue,
        ["queue retry"] = Operation.ChangeQueue,
        ["queue drop"] = Operation.ChangeQueue,
        ["commitment list"] = Operation.ReadQueue,
        ["quarantine list"] = Operation.ReadQuarantine,
        ["quarantine show"] = Operation.ReadQuarantine,
        ["quarantine retry"] = Operation.ChangeQuarantine,
        ["quarantine discard"] = Operation.ChangeQuarantine,
        ["quarantine export"] = Operation.ExportQuarantined,
        ["audit list"] = Operation.ReadAudit,
        ["audit show"] = Operation.ReadAudit,
        ["audit verify"] = Operation.ReadAudit,
        ["audit export"] = Operation.ExportAudit,
        ["keys list"] = Operation.ReadKeys,
        ["keys new"] = Operation.ChangeKeys,
        ["keys rotate"] = Operation.ChangeKeys,
        ["keys retire"] = Operation.ChangeKeys,
        ["protect"] = Operation.ProtectFiles,
        ["inspect"] = Operation.InspectFiles,
        ["reveal"] = Operation.RevealFiles,
    };

    /// <summary>Every operation that this command line asks for; none for a verb that is free. Null: nobody decided about the verb.</summary>
    public static IReadOnlyList<Operation>? Of(ParseResult parsed)
    {
        string verb = NameOf(parsed.CommandResult);
        if (!Needed.TryGetValue(verb, out Operation operation))
        {
            return Free.Contains(verb) ? [] : null;
        }

        bool namesPeople = parsed.CommandResult.Children.OfType<OptionResult>().Any(static o => !o.Implicit
            && (o.Option.Name.StartsWith("--original", StringComparison.Ordinal) || o.Option.Name == "--identity"));
        return !namesPeople ? [operation]
            : operation == Operation.InspectFiles ? [operation, Operation.RevealFiles]
            : [operation, Operation.ReadAuditIdentity];
    }

    /// <summary>True when the verb of this name is known, free or not.</summary>
    public static bool Knows(string verb) => Free.Contains(verb) || Needed.ContainsKey(verb);

    /// <summary>The verb with those above it, such as <c>audit list</c>.</summary>
    public static string NameOf(CommandResult result)
    {
        var names = new List<string>();
        for (SymbolResult? at = result; at is CommandResult { Command: not RootCommand } command; at = at.Parent)
        {
            names.Insert(0, command.Command.Name);
        }

        return string.Join(' ', names);
    }
}
