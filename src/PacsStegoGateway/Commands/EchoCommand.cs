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
        var command = new Command("echo", "Sends a C-ECHO and says what came back.");
        var peer = new PeerSwitches(command);
        Option<bool> json = CommonOptions.Json();
        command.Add(json);
        command.SetAction((result, cancellation) => RunAsync(peer.Read(result), result.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync((PeerAddress Address, AssociationLimits Limits) peer, bool json, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        await using RequestorAssociation association = await RequestorAssociation.ConnectAsync(
            peer.Address, [new ProposedContext(SopClasses.Verification, TransferSyntax.ImplicitVRLittleEndian.UID)], peer.Limits, cancellation).ConfigureAwait(false);
        DimseStatus status = await association.EchoAsync(cancellation).ConfigureAwait(false);
        await association.ReleaseAsync(cancellation).ConfigureAwait(false);
        double milliseconds = Math.Round(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 1);
        if (json)
        {
            Output.WriteJson(new
            {
                Peer = $"{peer.Address.CalledAETitle}@{peer.Address.Host}:{peer.Address.Port}",
                Status = status.ToString(),
                Milliseconds = milliseconds,
                Implementation = association.PeerImplementationVersionName,
                association.PeerMaxPduLength,
                Tls = peer.Address.Tls is not null,
            });
        }
        else
        {
            Console.WriteLine($"{peer.Address.CalledAETitle}@{peer.Address.Host}:{peer.Address.Port} answered {status} in {milliseconds:0} ms"
                + $" ({MatchText.Printable(association.PeerImplementationVersionName ?? "unnamed")}{(peer.Address.Tls is null ? "" : ", TLS")}).");
        }

        return status.IsSuccess ? ExitCode.Done : ExitCode.SomeFailed;
    }
}
