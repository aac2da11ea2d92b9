using PacsStegoGateway.Protection;

namespace PacsStegoGateway.Storage;

/// <summary>What is wrong with a spool file that is there.</summary>
public enum SpoolFault
{
    /// <summary>Cut short, lengthened, changed, reordered, another object's, or not a file of ours at all.</summary>
    Damaged,

    /// <summary>The key ring holds no key of the id that the file names.</summary>
    KeyMissing,

    /// <summary>The key is in the ring, but was retired: it opens nothing any more.</summary>
    KeyRetired,
}

/// <summary>A spool file cannot be read, and trying again will not change that.</summary>
public sealed class SpoolFileException(SpoolFault fault, string message) : IOException(message)
{
    public SpoolFault Fault { get; } = fault;

    /// <summary>What a row is set aside for.</summary>
    public RefusalReason Reason => Fault == SpoolFault.Damaged ? RefusalReason.SpoolFileDamaged : RefusalReason.KeyUnavailable;
}
