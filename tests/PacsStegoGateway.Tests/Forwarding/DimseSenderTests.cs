using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Tests.Gateway;

namespace PacsStegoGateway.Tests.Forwarding;

/// <summary>What a PACS may do to one object, and what is made of it.</summary>
public sealed class DimseSenderTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0x0000, typeof(SendOutcome.Stored))]
    [InlineData(0xB000, typeof(SendOutcome.Stored))]
    [InlineData(0xB007, typeof(SendOutcome.Stored))]
    [InlineData(0xB006, typeof(SendOutcome.Refused))] // Elements discarded: perhaps the sealed ones.
    [InlineData(0x0111, typeof(SendOutcome.Stored))] // It has it already.
    [InlineData(0xA700, typeof(SendOutcome.Later))]
    [InlineData(0xA7FF, typeof(SendOutcome.Later))]
    [InlineData(0x0213, typeof(SendOutcome.Later))]
    [InlineData(0xA900, typeof(SendOutcome.Refused))]
    [InlineData(0xC000, typeof(SendOutcome.Refused))]
    [InlineData(0x0122, typeof(SendOutcome.Refused))]
    [InlineData(0x0124, typeof(SendOutcome.Refused))]
    [InlineData(0xFE00, typeof(SendOutcome.Refused))] // A cancel that nobody asked for.
    public async Task A_status_decides(int status, Type outcome)
    {
        await using var pacs = new HostilePacs { OnStore = _ => (Deed.Answer, new DimseStatus((ushort)status)) };
        SendOutcome got = await SendAsync(pacs);
        got.ShouldBeOfType(outcome);
        got.Detail.ShouldContain($"{status:X4}H");
        got.Detail.ShouldContain("PACS");
    }

    [Theory]
    [InlineData(Deed.AbortWhenAllHasCome, "Aborted")]
    [InlineData(Deed.AbortInTheMiddle, "Aborted")]
    [InlineData(Deed.CloseInTheMiddle, "ConnectionLost")]
    [InlineData(Deed.SayNothing, "TimedOut")]
    public async Task An_association_that_fails_while_sending_is_tried_again(Deed deed, string failure)
    {
        await using var pacs = new HostilePacs { OnStore = _ => (deed, default) };
        // Longer than what the sockets take unread: a close in the middle is felt in the middle.
        (await SendAsync(pacs, 8 << 20)).ShouldBeOfType<SendOutcome.Later>().Detail.ShouldEndWith($"while sending: {failure}.");
    }

    [Theory]
    [InlineData(2, 3, 2, typeof(SendOutcome.Away))] // Transient, local limit exceeded.
    [InlineData(1, 1, 3, typeof(SendOutcome.Refused))] // Permanent, calling AE title not recognized.
    public async Task A_rejection_is_for_now_or_for_good(byte result, byte source, byte reason, Type outcome)
    {
        await using var pacs = new HostilePacs { OnAssociate = _ => new AssociateRj(result, source, reason) };
        (await SendAsync(pacs)).ShouldBeOfType(outcome);
    }

    [Fact]
    public async Task Where_nobody_listens_the_object_is_not_to_blame()
    {
        int port;
        await using (var pacs = new HostilePacs())
        {
            port = pacs.Port;
        }

        await using IObjectSender sender = Sender(port);
        (await sender.SendAsync(Instance(), Cancel)).ShouldBeOfType<SendOutcome.Away>().Detail.ShouldContain("NotConnected");
    }

    [Fact]
    public async Task One_association_carries_many_objects_and_another_is_opened_after_a_failure()
    {
        await using var pacs = new HostilePacs { OnStore = static n => n == 2 ? (Deed.AbortWhenAllHasCome, default) : (Deed.Answer, DimseStatus.Success) };
        await using IObjectSender sender = Sender(pacs.Port);
        for (int i = 0; i < 2; i++)
        {
            (await sender.SendAsync(Instance(), Cancel)).ShouldBeOfType<SendOutcome.Stored>();
        }

        pacs.Associations.ShouldBe(1);
        (await sender.SendAsync(Instance(), Cancel)).ShouldBeOfType<SendOutcome.Later>();
        await sender.CloseAsync();
        (await sender.SendAsync(Instance(), Cancel)).ShouldBeOfType<SendOutcome.Stored>();
        pacs.Associations.ShouldBe(2);
        pacs.Stored.Count.ShouldBe(3);
    }

    [Fact]
    public async Task An_object_whose_syntax_is_not_accepted_is_asked_for_in_another_form()
    {
        await using var pacs = new HostilePacs { Syntaxes = [TransferSyntax.ImplicitVRLittleEndian.UID] };
        await using IObjectSender sender = Sender(pacs.Port);
        ObjectToSend compressed = Instance() with { TransferSyntax = TransferSyntax.Of("1.2.840.10008.1.2.5") };
        (await sender.SendAsync(compressed, Cancel)).ShouldBeOfType<SendOutcome.OtherForm>().Instead.ShouldBe(TransferSyntax.ImplicitVRLittleEndian);
        // Uncompressed it is written anew without being asked.
        (await sender.SendAsync(Instance(), Cancel)).ShouldBeOfType<SendOutcome.Stored>();
        pacs.Syntaxes = [];
        await sender.CloseAsync();
        (await sender.SendAsync(compressed, Cancel)).ShouldBeOfType<SendOutcome.OtherForm>().Instead.ShouldBeNull();
    }

    private static async Task<SendOutcome> SendAsync(HostilePacs pacs, int pixelBytes = 4096)
    {
        await using IObjectSender sender = Sender(pacs.Port);
        return await sender.SendAsync(Instance(pixelBytes), Cancel);
    }

    private static DimseSender Sender(int port)
    {
        var destination = new DestinationOptions { AETitle = "PACS", Host = "127.0.0.1", Port = port, AnswerTimeoutSeconds = 2, ConnectTimeoutSeconds = 5 };
        return new DimseSender(destination, new DestinationLink(destination, new GatewayTls(new GatewayOptions(), static _ => { }), new ProposedContexts()));
    }

    private static ObjectToSend Instance(int pixelBytes = 4096) => new(
        SopClasses.CTImageStorage, SampleObjects.SopUID(1), TransferSyntax.ExplicitVRLittleEndian, ByteSource.Of(SampleObjects.Encode(SampleObjects.Create(1, pixelBytes))));
}
