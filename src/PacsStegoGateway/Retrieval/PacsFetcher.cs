using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Dimse;
using PacsStegoGateway.Forwarding;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Retrieval;

/// <summary>Takes one instance that the PACS gives back; its data set flows while this runs.</summary>
public delegate ValueTask<StoreResponse> OnInstance(StoreRequest request, CancellationToken cancellationToken);

/// <summary>Fetches protected objects from a destination that holds them, one at a time, by C-GET or by C-MOVE to ourselves.</summary>
public sealed class PacsFetcher(DestinationOptions pacs, RetrieveMethod method, GatewayTls tls, AwaitedInstances awaited)
{
    /// <summary>Instances asked for in one operation: a list that no PACS finds too long (64 characters each).</summary>
    public const int MostAtOnce = 64;

    private static readonly string[] Uncompressed =
        [TransferSyntax.ExplicitVRLittleEndian.UID, TransferSyntax.ImplicitVRLittleEndian.UID];

    /// <summary>As rows call the destination.</summary>
    public string Destination => pacs.KnownAs;

    /// <summary>Everywhere that originals can be fetched from: the PACS first, then the other destinations that speak DIMSE, by C-GET.</summary>
    public static IReadOnlyList<PacsFetcher> Of(GatewayOptions options, GatewayTls tls, AwaitedInstances awaited) =>
    [
        new(options.Pacs, options.Pacs.Retrieve, tls, awaited),
        .. options.Destinations.Where(static d => d.Kind == DestinationKind.Dimse).Select(d => new PacsFetcher(d, RetrieveMethod.Get, tls, awaited)),
    ];

    /// <summary>Asks for instances of one series. Those that do not come were not given; the caller counts.</summary>
    /// <param name="rows">At most <see cref="MostAtOnce"/>, of one study and series.</param>
    /// <param name="onInstance">Called for each instance that comes.</param>
    /// <exception cref="AssociationException">The PACS cannot be reached, or the association broke.</exception>
    public async Task FetchAsync(IReadOnlyList<InstanceRow> rows, OnInstance onInstance, CancellationToken cancellationToken)
    {
        await using RequestorAssociation association = await ConnectAsync(rows, cancellationToken);
        DataSet identifier = IdentifierOf(rows);
        if (method == RetrieveMethod.Get)
        {
            await association.GetAsync(SopClasses.StudyRootGet, identifier, (r, c) => onInstance(r, c), cancellationToken);
        }
        else
        {
            await MoveToOurselvesAsync(association, identifier, rows, onInstance, cancellationToken);
        }

        await association.ReleaseAsync(cancellationToken);
    }

    private async Task MoveToOurselvesAsync(
        RequestorAssociation association, DataSet identifier, IReadOnlyList<InstanceRow> rows, OnInstance onInstance, CancellationToken cancellationToken)
    {
        // Two retrievals of one instance at a time: the second waits for nothing and counts it as failed.
        string[] ours = [.. rows.Select(static r => r.SopUID).Where(uid => awaited.TryAdd(uid, onInstance))];
        try
        {
            await foreach (MoveResponse response in association.MoveAsync(SopClasses.StudyRootMove, pacs.CallingAETitle, identifier, cancellationToken))
            {
                if (response.Status.IsFailure)
                {
                    throw new AssociationException(response.Status, response.ErrorComment);
                }
            }
        }
        finally
        {
            foreach (string uid in ours)
            {
                awaited.Remove(uid);
            }
        }
    }

    private Task<RequestorAssociation> ConnectAsync(IReadOnlyList<InstanceRow> rows, CancellationToken cancellationToken)
    {
        PeerAddress address = tls.AddressOf(pacs, pacs.CallingAETitle, pacs.ConnectTimeoutSeconds);
        List<ProposedContext> contexts = [new(method == RetrieveMethod.Get ? SopClasses.StudyRootGet : SopClasses.StudyRootMove, Uncompressed)];
        if (method == RetrieveMethod.Get)
        {
            foreach (IGrouping<string, InstanceRow> kind in rows.GroupBy(static r => r.SopClassUID))
            {
                // As it was sent first: then nothing is transcoded on the way back.
                string[] syntaxes = [.. kind.Select(static r => r.TransferSyntaxUID).Concat(Uncompressed).Distinct()];
                contexts.AddRange(syntaxes.Select(s => new ProposedContext(kind.Key, s) { ScpRole = true }));
            }
        }

        return RequestorAssociation.ConnectAsync(address, contexts, DestinationLink.LimitsOf(pacs), cancellationToken);
    }

    private static DataSet IdentifierOf(IReadOnlyList<InstanceRow> rows)
    {
        var identifier = new DataSet();
        identifier.SetText(Tags.QueryRetrieveLevel, "IMAGE");
        identifier.SetText(Tags.StudyInstanceUID, rows[0].StudyUID);
        identifier.SetText(Tags.SeriesInstanceUID, rows[0].SeriesUID);
        identifier.SetText(Tags.SOPInstanceUID, string.Join('\\', rows.Select(static r => r.SopUID)));
        return identifier;
    }
}
