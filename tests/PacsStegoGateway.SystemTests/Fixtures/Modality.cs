using System.Buffers;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;
using PacsStegoGateway.Phantoms;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>A modality that sends object by object and looks at each status.</summary>
public static class Modality
{
    /// <summary>One phantom, a CT of 512x512.</summary>
    public static PhantomInstance Phantom(int seed = 1) => PhantomStudy.Create(new PhantomOptions { Seed = seed, SlicesPerSeries = 1 }).First();

    /// <summary>Some phantoms: CT, then MR.</summary>
    public static List<PhantomInstance> Phantoms(int slices, int seed = 1) => [.. PhantomStudy.Create(new PhantomOptions { Seed = seed, SlicesPerSeries = slices })];

    public static Task<RequestorAssociation> Connect(GatewayProcess gateway, PhantomInstance image, string calling = "MODALITY") =>
        RequestorAssociation.ConnectAsync(Peer(gateway, calling), [new ProposedContext(image.SopClassUID, image.TransferSyntax.UID)],
            new AssociationLimits(), TestContext.Current.CancellationToken);

    public static PeerAddress Peer(GatewayProcess gateway, string calling = "MODALITY") => new("127.0.0.1", gateway.Port, "PSG", calling);

    /// <param name="dataSet">Bytes to send in place of the image's own.</param>
    public static Task<StoreResponse> Store(RequestorAssociation association, PhantomInstance image, byte[]? dataSet = null) =>
        association.StoreAsync(image.SopClassUID, image.SopInstanceUID, image.TransferSyntax.UID,
            new ReadOnlySequence<byte>(dataSet ?? DataSetWriter.ToArray(image.DataSet, image.TransferSyntax)), null, TestContext.Current.CancellationToken);

    /// <summary>One object on an association of its own.</summary>
    public static async Task<StoreResponse> Send(GatewayProcess gateway, PhantomInstance image, byte[]? dataSet = null, string calling = "MODALITY")
    {
        await using RequestorAssociation association = await Connect(gateway, image, calling);
        StoreResponse response = await Store(association, image, dataSet);
        await association.ReleaseAsync(TestContext.Current.CancellationToken);
        return response;
    }

    /// <summary>True for success; false for "not now", be it A700 or a transient rejection. Anything else fails.</summary>
    public static async Task<bool> IsTakenNow(GatewayProcess gateway, PhantomInstance image)
    {
        try
        {
            DimseStatus status = (await Send(gateway, image)).Status;
            status.ShouldBeOneOf(DimseStatus.Success, DimseStatus.OutOfResources);
            return status == DimseStatus.Success;
        }
        catch (AssociationException e)
        {
            e.Failure.ShouldBe(AssociationFailure.Rejected);
            e.IsTransient.ShouldBeTrue();
            return false;
        }
    }
}
