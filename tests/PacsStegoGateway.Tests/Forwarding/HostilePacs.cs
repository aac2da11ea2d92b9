using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Tests.Network;

namespace PacsStegoGateway.Tests.Forwarding;

/// <summary>What a PACS does with one C-STORE.</summary>
public enum Deed
{
    Answer,
    AbortWhenAllHasCome,
    AbortInTheMiddle,
    CloseInTheMiddle,
    SayNothing,
}

/// <summary>A PACS that does what it is told, object by object; associations are served one by one and together.</summary>
public sealed class HostilePacs : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentBag<ScriptedPeer> _peers = [];
    private readonly Task _accepting;
    private int _associations;
    private int _stores;

    public HostilePacs()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What to do with the nth object, counted from 0 over all associations. Default: 0000.</summary>
    public Func<int, (Deed Deed, DimseStatus Status)> OnStore { get; set; } = static _ => (Deed.Answer, DimseStatus.Success);

    /// <summary>The rejection of the nth association request, counted from 0; null accepts it.</summary>
    public Func<int, AssociateRj?> OnAssociate { get; set; } = static _ => null;

    /// <summary>Transfer syntaxes that are accepted; null: all.</summary>
    public IReadOnlyList<string>? Syntaxes { get; set; }

    /// <summary>UIDs of what was answered without failure, in order.</summary>
    public ConcurrentQueue<string> Stored { get; } = [];

    public int Associations => Volatile.Read(ref _associations);

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _accepting;
        foreach (ScriptedPeer peer in _peers)
        {
            peer.Dispose();
        }
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var peer = new ScriptedPeer(await _listener.AcceptSocketAsync());
                _peers.Add(peer);
                _ = ServeAsync(peer);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(ScriptedPeer peer)
    {
        try
        {
            if (await peer.ReadAsync() is not AssociateRq request)
            {
                return;
            }

            if (OnAssociate(Interlocked.Increment(ref _associations) - 1) is { } rejection)
            {
                await peer.SendAsync(rejection);
                return;
            }

            await peer.SendAsync(Accept(request));
            while (await peer.ReadAsync() is { } pdu)
            {
                if (pdu is ReleaseRq)
                {
                    await peer.SendAsync(new ReleaseRp());
                    return;
                }

                if (pdu is not PDataTf data || !await StoreAsync(peer, data))
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or TimeoutException or ObjectDisposedException)
        {
            // The gateway has had enough of it.
        }
        finally
        {
            peer.Dispose();
        }
    }

    private AssociateAc Accept(AssociateRq request) => new()
    {
        CalledAETitle = request.CalledAETitle,
        CallingAETitle = request.CallingAETitle,
        PresentationContexts =
        [
            .. request.PresentationContexts.Select(p => Syntaxes is null || Syntaxes.Contains(p.TransferSyntaxes[0])
                ? new AnsweredContext(p.ID, PresentationContextResult.Acceptance, p.TransferSyntaxes[0])
                : new AnsweredContext(p.ID, PresentationContextResult.TransferSyntaxesNotSupported, p.TransferSyntaxes[0])),
        ],
        UserInformation = new UserInformation { MaxPduLength = 16384, ImplementationClassUID = "1.2.3" },
    };

    /// <returns>False when the connection is to be closed.</returns>
    private async Task<bool> StoreAsync(ScriptedPeer peer, PDataTf first)
    {
        var assembler = new CommandAssembler(65_536);
        CommandSet? command = null;
        byte contextID = 0;
        (Deed Deed, DimseStatus Status)? told = null;
        for (PDataTf data = first;;)
        {
            ReadOnlySequence<byte> items = data.Items;
            bool isLast = false;
            while (PresentationDataValue.TryTake(ref items, out PresentationDataValue value))
            {
                if (value.IsCommand)
                {
                    command = assembler.Append(value) ?? command;
                    contextID = value.ContextID;
                }

                isLast |= !value.IsCommand && value.IsLast;
            }

            if (command is not null && told is null)
            {
                told = OnStore(Interlocked.Increment(ref _stores) - 1);
                switch (told.Value.Deed)
                {
                    case Deed.AbortInTheMiddle:
                        await peer.SendAsync(new Abort(Abort.ServiceUser, 0));
                        return false;
                    case Deed.CloseInTheMiddle:
                        return false;
                }
            }

            if (isLast)
            {
                return await SettleAsync(peer, contextID, command!, told!.Value.Deed, told.Value.Status);
            }

            if (await peer.ReadAsync() is not PDataTf next)
            {
                return false;
            }

            data = next;
        }
    }

    private async Task<bool> SettleAsync(ScriptedPeer peer, byte contextID, CommandSet request, Deed deed, DimseStatus status)
    {
        switch (deed)
        {
            case Deed.AbortWhenAllHasCome:
                await peer.SendAsync(new Abort(Abort.ServiceUser, 0));
                return false;
            case Deed.SayNothing:
                await peer.ReadAsync();
                return false;
        }

        if (!status.IsFailure)
        {
            Stored.Enqueue(request.AffectedSOPInstanceUID);
        }

        await peer.SendCommandAsync(contextID, request.Answer(status));
        return true;
    }
}
