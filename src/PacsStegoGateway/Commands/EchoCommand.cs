using System.CommandLine;
using System.Diagnostics;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg echo PEER</c>: does the other side answer?</summary>
internal static class EchoCommand
{
    public static Command Create()
    {
        Argument<string> peer = CommonOptions.Peer();
        Option<string> calling = CommonOptions.Calling();
        var command = new Command("echo", "Sends a C-ECHO and says what came back.") { peer, calling };
        command.SetAction((result, cancellation) =>
            RunAsync(Peer.Parse(result.GetRequiredValue(peer), result.GetRequiredValue(calling)), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(PeerAddress peer, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            peer, [new ProposedContext(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID)], AssociationLimits.Default, cancellation).ConfigureAwait(false);
        DimseStatus status = await association.EchoAsync(cancellation).ConfigureAwait(false);
        await association.ReleaseAsync(cancellation).ConfigureAwait(false);
        Console.WriteLine($"{peer.CalledAETitle}@{peer.Host}:{peer.Port} answered {status} in {Stopwatch.GetElapsedTime(start).TotalMilliseconds:0} ms.");
        return status.IsSuccess ? ExitCode.Done : ExitCode.SomeFailed;
    }
}
