using PacsStegoGateway.Commands;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Tests.Commands;

public sealed class CommandLineTests
{
    [Theory]
    [InlineData("nonsense")]
    [InlineData("protect")]
    [InlineData("dump", "/nowhere/at/all.dcm", "--unknown")]
    [InlineData("dump", "/nowhere/at/all.dcm", "--tag", "NoSuchKeyword")]
    [InlineData("echo", "not-a-peer")]
    [InlineData("echo", "TITLE@host:99999")]
    [InlineData("protect", "/nowhere/at/all", "--out", "/tmp/never-made")]
    [InlineData("run", "--config", "/nowhere/gateway.json")]
    [InlineData("phantom", "--out", "/tmp/never-made", "--slices", "0")]
    public async Task Wrong_usage_is_exit_code_2(params string[] arguments) =>
        (await CommandLine.RunAsync(arguments)).ShouldBe(ExitCode.Misused);

    [Theory]
    [InlineData("--level", "worklist", "patient, study, series, image.")]
    [InlineData("--verify", "name", "full, authority, none.")]
    [InlineData("--limit", "many", "a whole number that fits.")]
    public void A_wrong_value_is_answered_with_those_that_are_allowed_and_no_type_of_ours(string option, string value, string allowed)
    {
        string text = CommandLine.TextOf(CommandLine.Create().Parse(["find", "A@h:1", option, value]).Errors.ShouldHaveSingleItem());
        text.ShouldContain(value);
        text.ShouldEndWith(allowed);
        text.ShouldNotContain("PacsStegoGateway");
        text.ShouldNotContain("System.");
    }

    [Fact]
    public async Task A_file_that_is_no_DICOM_is_exit_code_1()
    {
        string path = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(path, "this is no DICOM file", TestContext.Current.CancellationToken);
            (await CommandLine.RunAsync(["dump", path])).ShouldBe(ExitCode.SomeFailed);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("ORTHANC@127.0.0.1:4242", "ORTHANC", "127.0.0.1", 4242)]
    [InlineData("A B@[::1]:104", "A B", "::1", 104)]
    public void A_peer_is_written_as_title_at_host_and_port(string text, string title, string host, int port)
    {
        PeerAddress peer = Peer.Parse(text, "PSG");
        peer.CalledAETitle.ShouldBe(title);
        peer.Host.ShouldBe(host);
        peer.Port.ShouldBe(port);
    }
}
