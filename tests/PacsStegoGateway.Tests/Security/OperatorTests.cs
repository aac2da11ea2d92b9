using System.CommandLine;
using System.Text.Json;
using PacsStegoGateway.Audit;
using PacsStegoGateway.Commands;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Security;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Tests.Security;

/// <summary>Who may use which verbs of the command line.</summary>
public sealed class OperatorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-operators-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, Operation> Verbs => new()
    {
        { "run", Operation.RunService }, { "service install", Operation.RunService },
        { "quarantine list", Operation.ReadQuarantine }, { "quarantine show 1", Operation.ReadQuarantine },
        { "quarantine retry 1", Operation.ChangeQuarantine }, { "quarantine discard 1", Operation.ChangeQuarantine },
        { "quarantine export 1 --out x", Operation.ExportQuarantined },
        { "audit list", Operation.ReadAudit }, { "audit list --original-patient x", Operation.ReadAuditIdentity },
        { "keys list", Operation.ReadKeys }, { "keys rotate", Operation.ChangeKeys }, { "keys retire 00000001", Operation.ChangeKeys },
        { "keys new", Operation.ChangeKeys }, { "protect a --out x", Operation.ProtectFiles }, { "inspect a", Operation.InspectFiles },
        { "inspect a --identity", Operation.RevealFiles }, { "reveal a --out x", Operation.RevealFiles },
    };

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Every_role_may_use_the_verbs_that_are_meant_for_it_and_no_others(string verb, Operation operation)
    {
        foreach (Role role in Enum.GetValues<Role>())
        {
            string config = Configure(new { Account = Account.OfProcess().Name, Roles = new[] { role.ToString() } });
            ParseResult parsed = CommandLine.Create().Parse([.. verb.Split(' '), "--config", config]);
            parsed.Errors.ShouldBeEmpty(verb);
            IReadOnlyList<Operation> needed = VerbRights.Of(parsed)!;
            needed.ShouldContain(operation);
            Func<Task> passing = () => OperatorGate.PassAsync(parsed, Cancel);
            if (needed.All(o => AccessTable.Allows([role], o)))
            {
                await passing.ShouldNotThrowAsync();
            }
            else
            {
                (await passing.ShouldThrowAsync<NotPermittedException>()).Message.ShouldContain("could not be recorded");
            }
        }
    }

    [Fact]
    public void Somebody_decided_about_every_verb_that_there_is()
    {
        foreach (string verb in Leaves(CommandLine.Create(), ""))
        {
            VerbRights.Knows(verb).ShouldBeTrue($"psg {verb} stands in no list of {nameof(VerbRights)}: nobody may use it.");
        }
    }

    [Fact]
    public async Task A_refusal_is_said_and_recorded_with_the_account_and_the_use_of_keys_too()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "data"));
        uint first = KeyRing.Create(Path.Combine(_folder, "data", "keyring.json")).ActiveKeyId;
        string me = Account.OfProcess().Name;
        string config = Configure(new { Account = me, Roles = new[] { "auditor" } });
        (await PsgProcess.RunAsync("audit", "list", "--config", config)).Code.ShouldBe(ExitCode.Done);

        (int code, string output, string error) = await PsgProcess.RunAsync("reveal", _folder, "--out", Path.Combine(_folder, "out"), "--config", config);
        (code, output).ShouldBe((ExitCode.NotPermitted, ""));
        error.ShouldContain($"{me} may not run psg reveal: RevealFiles needs the role reidentifier.");
        error.ShouldContain("This attempt was recorded.");
        Directory.Exists(Path.Combine(_folder, "out")).ShouldBeFalse();

        config = Configure(new { Account = me, Roles = new[] { "admin" } });
        (await PsgProcess.RunAsync("keys", "rotate", "--config", config)).Code.ShouldBe(ExitCode.Done);
        (await PsgProcess.RunAsync("keys", "retire", $"{first:x8}", "--config", config)).Code.ShouldNotBe(ExitCode.Done, "without --yes nothing is done, and nothing recorded");
        (await PsgProcess.RunAsync("audit", "list", "--config", config)).Code.ShouldBe(ExitCode.NotPermitted);

        await using GatewayStore store = await GatewayStore.OpenAsync(
            StoreDialect.Of(new GatewayOptions { DataFolder = Path.Combine(_folder, "data") }), KeyRing.Load(Path.Combine(_folder, "data", "keyring.json")),
            TimeProvider.System, Cancel);
        IReadOnlyList<AuditRecord> trail = await store.QueryAuditAsync(
            new AuditFilter { Events = [AuditEvent.Denied, AuditEvent.KeyUsed, AuditEvent.KeyChanged] }, Cancel);
        trail.Select(static r => (r.Event, r.User, r.Reason, r.Detail)).ShouldBe(
        [
            (AuditEvent.Denied, me, "RevealFiles", "psg reveal on the command line."),
            (AuditEvent.KeyChanged, me, null, $"psg keys rotate: {first:x8} gives way to a new key."),
            (AuditEvent.Denied, me, "ReadAudit", "psg audit list on the command line."),
        ]);
    }

    [Fact]
    public void Who_is_not_listed_has_what_the_files_let_it_do_and_who_came_by_sudo_has_nothing()
    {
        Account psg = new("psg", Set("psg"), false), root = new("root", Set("root"), true), alice = new("alice", Set("staff", "pacs-admins"), false);
        OperatorOptions[] operators = [new() { Account = "bob", Roles = [Role.Auditor] }];
        Roles(psg, canReadKeys: true, operators).Count.ShouldBe(6);
        Roles(root, canReadKeys: true, operators).Count.ShouldBe(6);
        Roles(alice, canReadKeys: false, operators).ShouldBeEmpty();
        Roles(alice with { Through = "psg" }, canReadKeys: true, operators).ShouldBeEmpty();
        Roles(alice with { Through = "psg" }, canReadKeys: true, []).Count.ShouldBe(6, "Nobody is listed: then sudo alone decides.");
        Roles(alice, canReadKeys: false, []).ShouldBeEmpty();
    }

    [Fact]
    public void Who_is_listed_has_the_roles_of_all_its_lines_and_no_other_even_as_root()
    {
        Account alice = new("alice", Set("staff", "pacs-admins"), true);
        OperatorOptions[] operators =
        [
            new() { Account = "alice", Roles = [Role.Auditor] }, new() { Account = "group:pacs-admins", Roles = [Role.Operator] },
            new() { Account = "group:others", Roles = [Role.Admin] }, new() { Account = "Alice2", Roles = [Role.Admin] },
        ];
        Roles(alice, canReadKeys: true, operators).ShouldBe([Role.Auditor, Role.Operator], ignoreOrder: true);
        Roles(alice, canReadKeys: true, [new OperatorOptions { Account = "alice" }]).ShouldBeEmpty();
    }

    [Fact]
    public void Sudo_is_believed_only_of_who_could_do_everything_anyway()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no sudo.");
        static string? Variable(string name) => name switch { "SUDO_USER" => "alice", "SUDO_GID" => "0", _ => null };
        Account psg = new("psg", Set("psg"), false);
        Account acting = OperatorPolicy.WhoActs(psg, canReadKeys: true, Variable);
        (acting.Name, acting.Through).ShouldBe(("alice", "psg"));
        OperatorPolicy.WhoActs(psg, canReadKeys: false, Variable).ShouldBe(psg);
        OperatorPolicy.WhoActs(new Account("root", Set(), true), canReadKeys: false, Variable).Name.ShouldBe("alice");
        OperatorPolicy.WhoActs(psg, canReadKeys: true, static _ => null).ShouldBe(psg);
    }

    [Fact]
    public void The_account_of_this_process_has_a_name_and_groups()
    {
        Account me = Account.OfProcess();
        me.Name.ShouldNotBeEmpty();
        me.Groups.ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Wrong_operators_are_named_and_let_nobody_in()
    {
        string config = Configure(new { Account = "group:", Roles = new[] { "auditor" } });
        ConfigurationException e = await Should.ThrowAsync<ConfigurationException>(() =>
            OperatorGate.PassAsync(CommandLine.Create().Parse(["audit", "list", "--config", config]), Cancel));
        e.Problems.ShouldHaveSingleItem().Path.ShouldBe("Operators:0:Account");
    }

    [Fact]
    public async Task A_ring_of_ones_own_is_ones_own_business()
    {
        string config = Configure(new { Account = Account.OfProcess().Name, Roles = Array.Empty<string>() });
        await OperatorGate.PassAsync(CommandLine.Create().Parse(["keys", "list", "--keys", Path.Combine(_folder, "own.json"), "--config", config]), Cancel);
        await Should.ThrowAsync<NotPermittedException>(() =>
            OperatorGate.PassAsync(CommandLine.Create().Parse(["keys", "list", "--keys", Path.Combine(_folder, "data", "keyring.json"), "--config", config]), Cancel));
    }

    public void Dispose()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    private static IReadOnlySet<Role> Roles(Account account, bool canReadKeys, OperatorOptions[] operators) =>
        OperatorPolicy.RolesOf(account, canReadKeys, operators);

    private static HashSet<string> Set(params string[] groups) => [.. groups];

    private static IEnumerable<string> Leaves(Command command, string path) => command.Subcommands.Count == 0
        ? [path]
        : command.Subcommands.SelectMany(c => Leaves(c, path.Length == 0 ? c.Name : $"{path} {c.Name}"));

    private string Configure(params object[] operators)
    {
        string path = Path.Combine(_folder, "gateway.json");
        File.WriteAllText(path, JsonSerializer.Serialize(new { DataFolder = Path.Combine(_folder, "data"), Operators = operators }));
        return path;
    }
}
