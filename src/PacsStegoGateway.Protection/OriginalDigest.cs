using System.Security.Cryptography;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Protection;

/// <summary>The hash that proves an original: SHA-256 of its encoded data set, cut to 128 bits to fit the hidden symbol.</summary>
internal static class OriginalDigest
{
    public const int Length = 16;

    /// <summary>
    /// Digest of the data set as it stands on the wire. Under a deflated transfer syntax the bytes before deflation
    /// count: two deflaters give different bytes for the same data set.
    /// </summary>
    public static byte[] Of(ByteSource dataSet)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        dataSet.CopyTo(hash);
        return hash.GetHashAndReset()[..Length];
    }

    /// <summary>The encoding whose bytes are hashed.</summary>
    public static TransferSyntax EncodingOf(TransferSyntax transferSyntax) =>
        transferSyntax.Deflated ? TransferSyntax.ExplicitVRLittleEndian : transferSyntax;
}
