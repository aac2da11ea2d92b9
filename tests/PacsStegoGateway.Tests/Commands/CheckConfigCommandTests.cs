using PacsStegoGateway.Commands;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Commands;

public sealed class CheckConfigCommandTests : IDisposable
{
    private readonly TestAuthority _authority = new();

    [Fact]
    public async Task An_expired_certificate_and_a_key_that_others_may_read_are_problems()
    {
        _authority.Server(days: -1);
        Protect("server.key", isOpen: true);
        string[] said = await ProblemsAsync(Listening());
        said.ShouldContain(static p => p.StartsWith("Listen:Tls: ") && p.Contains("server.pem: the certificate expired on "));
        if (!OperatingSystem.IsWindows())
        {
            said.ShouldContain(static p => p.StartsWith("Listen:Tls: ") && p.Contains("chmod 600 ") && p.EndsWith("server.key"));
        }
    }

    [Fact]
    public async Task A_valid_certificate_and_a_key_of_our_own_are_none()
    {
        _authority.Server();
        Protect("server.key", isOpen: false);
        (await ProblemsAsync(Listening())).ShouldNotContain(static p => p.StartsWith("Listen:Tls"));
    }

    [Fact]
    public async Task One_problem_hides_no_other()
    {
        _authority.Server();
        string[] said = await ProblemsAsync(
        [
            .. Listening(), $"Listen:Tls:KeyPath={_authority.At("gone.key")}", $"Listen:Tls:AuthoritiesPath={_authority.At("gone.pem")}",
            "Listen:Adress=::", "Callers:0:Certificates:0=sha256:zz", $"Segmentation:ModelPath={_authority.At("gone.onnx")}", "Segmentation:Kind=maskrcnn",
        ]);
        foreach (string one in (string[])["gone.key", "Listen:Tls: " + _authority.At("gone.pem"), "Listen:Adress", "Callers:0:Certificates:0", "Keys:RingPath", "Segmentation: "])
        {
            said.ShouldContain(p => p.Contains(one), one);
        }
    }

    [Fact]
    public async Task A_file_that_is_no_JSON_is_the_only_problem()
    {
        string broken = _authority.Write("broken.json", "{ \"Listen\": ");
        (await ProblemsAsync([], broken)).ShouldHaveSingleItem().ShouldContain("is not JSON, at line 1");
    }

    public void Dispose() => _authority.Dispose();

    private static async Task<string[]> ProblemsAsync(string[] set, string? file = null)
    {
        string[] arguments = ["check-config", "--config", file ?? Path.Combine(SharedData.RepositoryRoot, "config", "gateway.json"), .. set.SelectMany(static s => (string[])["--set", s])];
        System.CommandLine.InvocationConfiguration thrown = new() { EnableDefaultExceptionHandler = false };
        ConfigurationException e = await Should.ThrowAsync<ConfigurationException>(() =>
            CommandLine.Create().Parse(arguments).InvokeAsync(thrown, TestContext.Current.CancellationToken));
        return [.. e.Problems.Select(static p => p.ToString())];
    }

    /// <summary>The data folder is empty: the key ring is always missing, so that there is a problem to list.</summary>
    private string[] Listening() =>
    [
        $"DataFolder={_authority.At("data")}", "Segmentation:Kind=threshold", "Listen:Tls:Enabled=true",
        $"Listen:Tls:CertificatePath={_authority.At("server.pem")}", $"Listen:Tls:KeyPath={_authority.At("server.key")}",
        $"Listen:Tls:AuthoritiesPath={_authority.AuthoritiesPath}",
    ];

    private void Protect(string name, bool isOpen)
    {
        if (!OperatingSystem.IsWindows())
        {
            UnixFileMode own = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            File.SetUnixFileMode(_authority.At(name), isOpen ? own | UnixFileMode.OtherRead : own);
        }
    }
}
