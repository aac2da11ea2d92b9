namespace PacsStegoGateway.Dicom.Network;

/// <summary>Where a peer listens and how it is called.</summary>
/// <param name="Host">Name or address.</param>
/// <param name="CalledAETitle">The peer's AE title, 1 to 16 characters.</param>
/// <param name="CallingAETitle">Ours, 1 to 16 characters.</param>
public sealed record PeerAddress(string Host, int Port, string CalledAETitle, string CallingAETitle)
{
    /// <summary>For name resolution and TCP together. Default 10 s: a destination that is off must not hold up others.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Null: plain.</summary>
    public TlsClient? Tls { get; init; }

    /// <summary>What stands between the socket and whatever goes over it, such as a limit; null: nothing.</summary>
    public Func<Stream, Stream>? Transport { get; init; }

    /// <summary>Sent in the A-ASSOCIATE-RQ when set.</summary>
    public UserIdentity? UserIdentity { get; init; }

    public IReadOnlyList<ExtendedNegotiation> ExtendedNegotiations { get; init; } = [];
}
