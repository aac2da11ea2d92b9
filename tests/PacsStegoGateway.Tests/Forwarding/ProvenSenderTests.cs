using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Protection;
using PacsStegoGateway.Storage;
using PacsStegoGateway.Tests.Network;
using PacsStegoGateway.Tests.Protection;

namespace PacsStegoGateway.Tests.Forwarding;

/// <summary>Compressed protected objects for destinations that take none: decoded, proved, then sent; or refused.</summary>
public sealed class ProvenSenderTests(RoomsFixture fixture) : IClassFixture<RoomsFixture>, IDisposable
{
    private const string Rle = "1.2.840.10008.1.2.5";
    private const string JpegLossless = "1.2.840.10008.1.2.4.70";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("psg-proven-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(Rle)]
    [InlineData(JpegLossless)]
    [InlineData("1.2.840.10008.1.2.4.80")]
    public async Task Storescp_without_compression_gets_it_decoded_and_the_original_comes_back_byte_for_byte(string uid)
    {
        (ProtectedInstance protectedImage, byte[] original) = Protect(uid, 1);
        int port = Dcmtk.FreePort();
        await using (await Dcmtk.ServeAsync("storescp", port, _folder.FullName, "+x=", "-od", _folder.FullName, port.ToString(System.Globalization.CultureInfo.InvariantCulture)))
        {
            SendOutcome.Stored stored = (await SendAsync(port, protectedImage)).ShouldBeOfType<SendOutcome.Stored>();
            stored.Detail.ShouldEndWith("Little Endian, and proved before.");
        }

        DicomFile kept = DicomFile.Read(await File.ReadAllBytesAsync(_folder.GetFiles().ShouldHaveSingleItem().FullName, Cancel));
        kept.TransferSyntax.Encapsulated.ShouldBeFalse();
        fixture.Rooms.Revealer.Reveal(kept.DataSet, kept.TransferSyntax).ShouldBeOfType<RevealOutcome.Revealed>().Original.DataSet.ToArray().ShouldBe(original);
    }

    [Fact]
    public async Task A_service_over_HTTP_that_does_not_take_the_syntax_gets_it_decoded_too()
    {
        (ProtectedInstance protectedImage, _) = Protect(Rle, 1);
        await using StowServer server = await StowServer.StartAsync();
        Func<Microsoft.AspNetCore.Http.HttpContext, byte[], Task> stored = server.Answer;
        server.Answer = (context, body) => StowServer.FileIn(body).TransferSyntax.Encapsulated
            ? StowServer.FailedAsync(context, protectedImage.SOPInstanceUID, 0xC122)
            : stored(context, body);
        var options = new DestinationOptions { Name = "WEB", Kind = DestinationKind.Stow, Url = server.Url };
        (await SendAsync(options, protectedImage)).ShouldBeOfType<SendOutcome.Stored>().Detail.ShouldContain("proved");
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_would_not_give_the_original_back_is_refused_and_nothing_is_sent()
    {
        // Frames that carry nothing keep their fragments, which decoding loses.
        (ProtectedInstance protectedImage, _) = Protect(JpegLossless, 3);
        await using var pacs = new HostilePacs { Syntaxes = [TransferSyntax.ExplicitVRLittleEndian.UID] };
        (await SendAsync(pacs.Port, protectedImage)).ShouldBeOfType<SendOutcome.Refused>().Detail.ShouldContain(nameof(RefusalReason.OriginalNotProven));
        pacs.Stored.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_may_be_lossy_or_cannot_be_decoded_or_is_taken_in_no_form_is_refused()
    {
        (ProtectedInstance protectedImage, _) = Protect(Rle, 1);
        await using var pacs = new HostilePacs { Syntaxes = [TransferSyntax.ExplicitVRLittleEndian.UID] };
        (await SendAsync(pacs.Port, protectedImage with { TransferSyntax = TransferSyntax.Of("1.2.840.10008.1.2.4.50") }))
            .ShouldBeOfType<SendOutcome.Refused>().Detail.ShouldContain("not known to be lossless");
        (await SendAsync(pacs.Port, protectedImage with { TransferSyntax = TransferSyntax.Of(JpegLossless) }))
            .ShouldBeOfType<SendOutcome.Refused>().Detail.ShouldContain("cannot be decoded here");
        pacs.Syntaxes = [];
        (await SendAsync(pacs.Port, protectedImage)).ShouldBeOfType<SendOutcome.Refused>().Detail.ShouldContain("accepts no presentation context");
        pacs.Stored.ShouldBeEmpty();
    }

    private Task<SendOutcome> SendAsync(int port, ProtectedInstance instance) =>
        SendAsync(new DestinationOptions { AETitle = "PACS", Host = "127.0.0.1", Port = port, AnswerTimeoutSeconds = 20 }, instance);

    private async Task<SendOutcome> SendAsync(DestinationOptions options, ProtectedInstance instance)
    {
        using var spool = new Spool(new SpoolOptions { MinFreeMegabytes = 0 }, _folder.CreateSubdirectory("spool").FullName, fixture.Rooms.Keys);
        using var destination = new Destination(
            options, new GatewayTls(new GatewayOptions(), static _ => { }), fixture.Rooms.Revealer.Reveal, spool, TimeProvider.System);
        await using IObjectSender sender = destination.OpenSender();
        return await sender.SendAsync(new ObjectToSend(instance.SOPClassUID, instance.SOPInstanceUID, instance.TransferSyntax, instance.DataSet), Cancel);
    }

    private (ProtectedInstance Protected, byte[] Original) Protect(string uid, int frames)
    {
        TransferSyntax transferSyntax = CompressedImageTests.RequireEncoder(uid);
        byte[] original = DataSetWriter.ToArray(CompressedImageTests.Compress(fixture.Phantoms[0], transferSyntax, frames), transferSyntax);
        return (fixture.Rooms.Protector.Protect(original, transferSyntax).ShouldBeOfType<ProtectionOutcome.Protected>().Instance, original);
    }
}
