using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Protection;

/// <summary>What the hidden symbol says once it is opened.</summary>
/// <remarks><code>
/// byte  0       format, 1
/// bytes 1-16    OriginalDigest of the original data set
/// bytes 17-     EssentialIdentity, encoded for the symbol
/// </code></remarks>
internal sealed record SymbolMessage(byte[] OriginalDigest, EssentialIdentity Identity)
{
    private const byte Format = 1;

    public byte[] Encode() => [Format, .. OriginalDigest, .. Identity.EncodeForSymbol()];

    /// <exception cref="DicomContentException">The message is of another version.</exception>
    public static SymbolMessage Decode(ReadOnlySpan<byte> message)
    {
        const int Head = 1 + Protection.OriginalDigest.Length;
        if (message.Length < Head || message[0] != Format)
        {
            throw new DicomContentException("The hidden message has a format that this program does not read.");
        }

        return new SymbolMessage(message[1..Head].ToArray(), EssentialIdentity.Decode(message[Head..]));
    }

    /// <summary>Identity never slips into a log through string formatting.</summary>
    public override string ToString() => "[redacted]";
}
