using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Forwarding;

/// <summary>What has to be proposed so far: grows with the kinds of objects that come, up to what one association can carry.</summary>
public sealed class ProposedContexts
{
    private const int Most = 120;

    private readonly Lock _gate = new();
    private readonly List<(string SopClass, string TransferSyntax)> _pairs = [];

    /// <summary>All pairs with this one among them. The oldest gives way when there are too many.</summary>
    public IReadOnlyList<ProposedContext> With(string sopClass, string transferSyntax)
    {
        lock (_gate)
        {
            _pairs.Remove((sopClass, transferSyntax));
            _pairs.Add((sopClass, transferSyntax));
            if (_pairs.Count > Most)
            {
                _pairs.RemoveAt(0);
            }

            // One context for each pair: with several syntaxes in one the acceptor would choose for us.
            return SendingForm.ContextsFor(_pairs.AsEnumerable().Reverse());
        }
    }
}

/// <summary>One association to a destination, opened when needed, used for many objects.</summary>
public sealed class DestinationLink(DestinationOptions destination, GatewayTls tls, ProposedContexts contexts, BandwidthLimit? limit = null) : IAsyncDisposable
{
    private RequestorAssociation? _association;
    private IReadOnlyList<ProposedContext> _proposed = [];

    public bool IsOpen => _association is not null;

    /// <summary>An association on which this kind of object was proposed, whatever the destination said to that.</summary>
    /// <exception cref="AssociationException">It cannot be opened.</exception>
    public async Task<RequestorAssociation> OpenAsync(string sopClass, string transferSyntax, CancellationToken cancellationToken)
    {
        if (_association is not null && !_proposed.Any(p => p.AbstractSyntax == sopClass && p.TransferSyntaxes.Contains(transferSyntax)))
        {
            await ReleaseAsync(cancellationToken);
        }

        if (_association is null)
        {
            _proposed = contexts.With(sopClass, transferSyntax);
            PeerAddress address = tls.AddressOf(destination, destination.CallingAETitle, destination.ConnectTimeoutSeconds) with
            {
                Transport = limit is null ? null : connection => new LimitedStream(connection, limit),
            };
            _association = await RequestorAssociation.ConnectAsync(address, _proposed, LimitsOf(destination), cancellationToken);
        }

        return _association;
    }

    /// <summary>Says good-bye; a peer that does not answer is left.</summary>
    public async Task ReleaseAsync(CancellationToken cancellationToken)
    {
        if (_association is { } association)
        {
            try
            {
                await association.ReleaseAsync(cancellationToken);
            }
            catch (IOException)
            {
                // It is gone already, which is what was wanted.
            }

            await CloseAsync();
        }
    }

    public async Task CloseAsync()
    {
        if (_association is { } association)
        {
            _association = null;
            await association.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync();

    public static AssociationLimits LimitsOf(DestinationOptions destination) => AssociationLimits.Default with
    {
        ArtimTimeout = TimeSpan.FromSeconds(destination.ConnectTimeoutSeconds),
        DimseTimeout = TimeSpan.FromSeconds(destination.AnswerTimeoutSeconds),
    };
}
