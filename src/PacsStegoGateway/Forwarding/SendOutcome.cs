using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Forwarding;

/// <summary>One object on its way out.</summary>
/// <param name="DataSet">Encoded in the transfer syntax; read in parts while it is sent.</param>
public sealed record ObjectToSend(string SOPClassUID, string SOPInstanceUID, TransferSyntax TransferSyntax, ByteSource DataSet);

/// <summary>What became of an attempt to send one object. Details are our own words and the peer's numbers, never its text.</summary>
public abstract record SendOutcome
{
    private SendOutcome()
    {
    }

    public abstract string Detail { get; init; }

    /// <summary>The destination says that it has the object.</summary>
    public sealed record Stored(string Detail) : SendOutcome
    {
        public override string Detail { get; init; } = Detail;
    }

    /// <summary>Refused for good: a person decides.</summary>
    public sealed record Refused(string Detail) : SendOutcome
    {
        public override string Detail { get; init; } = Detail;
    }

    /// <summary>Not now: the same object may succeed later, and perhaps it is this object that failed.</summary>
    /// <param name="NotBefore">What the destination asked for; null: it did not say.</param>
    public sealed record Later(string Detail, TimeSpan? NotBefore = null) : SendOutcome
    {
        public override string Detail { get; init; } = Detail;
    }

    /// <summary>The destination cannot be reached: nothing was said about the object.</summary>
    public sealed record Away(string Detail) : SendOutcome
    {
        public override string Detail { get; init; } = Detail;
    }

    /// <summary>The destination does not take the object in its transfer syntax.</summary>
    /// <param name="Instead">An uncompressed one that it takes; null: none.</param>
    public sealed record OtherForm(string Detail, TransferSyntax? Instead) : SendOutcome
    {
        public override string Detail { get; init; } = Detail;
    }
}
