using PacsStegoGateway.Configuration;
using PacsStegoGateway.Security;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Tests.Security;

/// <summary>A key ring that is kept elsewhere than in a file of ours.</summary>
public sealed class KeySourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("psg-keysource-").FullName;
    private readonly GatewayOptions _options;
    private readonly string _file;
    private readonly uint _id;

    public KeySourceTests()
    {
        _options = new GatewayOptions { DataFolder = _folder };
        _file = Path.Combine(_folder, "keyring.json");
        _id = KeyRing.Create(_file).ActiveKeyId;
    }

    [Fact]
    public void The_first_of_variable_command_and_file_counts()
    {
        KeySource.Open(_options).ActiveKeyId.ShouldBe(_id);
        string other = Path.Combine(_folder, "other.json");
        uint otherId = KeyRing.Create(other).ActiveKeyId;
        SkipWithoutShell();
        _options.Keys.Command = ["/bin/cat", other];
        KeySource.Open(_options).ActiveKeyId.ShouldBe(otherId);
        _options.Keys.Ring = File.ReadAllText(_file);
        KeySource.Open(_options).ActiveKeyId.ShouldBe(_id);
    }

    [Fact]
    public void A_ring_without_a_file_cannot_be_changed_here()
    {
        SkipWithoutShell();
        _options.Keys.Command = ["/bin/cat", _file];
        KeyRing ring = KeySource.Open(_options);
        Should.Throw<KeyRingException>(() => ring.Rotate()).Error.ShouldBe(KeyRingError.NotAFile);
        Should.Throw<KeyRingException>(() => ring.Retire(1)).Error.ShouldBe(KeyRingError.NotAFile);
    }

    [Theory]
    [InlineData("/bin/sh -c exit_3", "ended with")]
    [InlineData("/does/not/exist", "could not be started")]
    [InlineData("/bin/echo secret-words", "line 1")]
    [InlineData("/bin/cat /dev/zero", "printed more than")]
    [InlineData("/bin/sleep 30", "took longer than 1 s")]
    public void A_command_that_gives_no_ring_is_an_error_that_says_how_and_quotes_nothing(string command, string said)
    {
        SkipWithoutShell();
        _options.Keys.Command = [.. command.Split(' ')];
        _options.Keys.CommandTimeoutSeconds = said.Contains("1 s", StringComparison.Ordinal) ? 1 : 30;
        string message = Should.Throw<KeyRingException>(() => KeySource.Open(_options)).ToString();
        message.ShouldContain(said);
        message.ShouldNotContain("secret-words");
    }

    [Fact]
    public void What_held_the_ring_is_cleared()
    {
        byte[] json = File.ReadAllBytes(_file);
        KeyRing.Parse(json, "a test").ActiveKeyId.ShouldBe(_id);
        json.ShouldAllBe(static b => b == 0);
    }

    [Fact]
    public void A_program_that_would_be_looked_for_is_refused_and_the_ring_is_never_printed()
    {
        var options = new GatewayOptions { Keys = { Command = ["vault"], CommandTimeoutSeconds = 0, Ring = "planted-secret" } };
        GatewayOptionsValidator.Validate(options).Select(static p => p.Path).ShouldContain("Keys:Command");
        GatewayOptionsValidator.Validate(options).Select(static p => p.Path).ShouldContain("Keys:CommandTimeoutSeconds");
        GatewayConfiguration.Print(options).ShouldNotContain("planted-secret");
        KeyPlace.Warnings(options).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_gateway_that_dies_leaves_no_core()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Read from /proc.");
        // In a process of its own: the limit cannot be lifted again.
        string limits = await LimitsOfServiceAsync();
        limits.ShouldMatch(@"Max core file size\s+0\s+0\s");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A service whose key ring takes long: so that it can be looked at.</summary>
    private async Task<string> LimitsOfServiceAsync()
    {
        string config = Path.Combine(_folder, "gateway.json");
        string seen = Path.Combine(_folder, "limits");
        await File.WriteAllTextAsync(Path.Combine(_folder, "look.sh"), $"cat /proc/self/limits > {seen}\n", TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(config, System.Text.Json.JsonSerializer.Serialize(new
        {
            DataFolder = _folder,
            Pacs = new { AETitle = "PACS", Host = "localhost" },
            Keys = new { Command = new[] { "/bin/sh", Path.Combine(_folder, "look.sh") } },
        }), TestContext.Current.CancellationToken);
        // The command gives no ring, and the service does not start; the command saw what the service passes on.
        (await PsgProcess.RunAsync("run", "--config", config)).Code.ShouldNotBe(0);
        return await File.ReadAllTextAsync(seen, TestContext.Current.CancellationToken);
    }

    private static void SkipWithoutShell() => Assert.SkipWhen(OperatingSystem.IsWindows(), "The programs of this test are those of Unix.");
}
