using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.Pkcs;
using System.Security.Cryptography.X509Certificates;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Protection;

/// <summary>
/// The standard's own place for what was removed: Encrypted Attributes Sequence (PS3.15 E.1.1, PS3.3 C.12.1.1.4.1).
/// </summary>
/// <remarks>
/// <code>
/// (0400,0500) Encrypted Attributes Sequence
///   item
///     (0400,0510) Encrypted Content Transfer Syntax UID = Explicit VR Little Endian
///     (0400,0520) Encrypted Content = CMS EnvelopedData, RSA key transport, AES-256-CBC, of:
///        (0077,xx00) our private block: what restoration needs beyond the attributes
///        (0400,0550) Modified Attributes Sequence, one item: the original attributes
/// </code>
/// CBC does not authenticate: the hash of the original data set, sealed with AES-GCM in the hidden symbol, does.
/// Items that other sites put there are kept: nobody here can read them.
/// </remarks>
public static class EncryptedAttributes
{
    /// <summary>AES-256 in CBC mode (RFC 3565), one of the algorithms that PS3.15 E.1.1 names.</summary>
    private static readonly Oid ContentEncryption = new("2.16.840.1.101.3.4.1.42");

    /// <summary>Longest plain data set, in bytes: it is encrypted as a whole, in memory.</summary>
    public const int MostSealed = 32 << 20;

    /// <summary>Encrypts a data set for one recipient.</summary>
    /// <returns>One item of the Encrypted Attributes Sequence.</returns>
    public static DataSet Seal(DataSet plain, X509Certificate2 recipient)
    {
        var envelope = new EnvelopedCms(
            new ContentInfo(DataSetWriter.ToArray(plain, TransferSyntax.ExplicitVRLittleEndian)), new AlgorithmIdentifier(ContentEncryption));
        envelope.Encrypt(new CmsRecipient(SubjectIdentifierType.IssuerAndSerialNumber, recipient, RSAEncryptionPadding.Pkcs1));
        byte[] content = envelope.Encode();
        if ((content.Length & 1) != 0)
        {
            Array.Resize(ref content, content.Length + 1);
        }

        var item = new DataSet();
        item.Set(Element.Text(Tags.EncryptedContentTransferSyntaxUID, Vr.UI, TransferSyntax.ExplicitVRLittleEndian.UID));
        item.Set(Element.Raw(Tags.EncryptedContent, Vr.OB, content));
        return item;
    }

    /// <summary>Opens the first item that one of the certificates' private keys can open.</summary>
    /// <returns>The data set inside, or null when no item is for us.</returns>
    /// <exception cref="DicomContentException">An item is for us, but what it holds is not a data set.</exception>
    public static DataSet? Open(DataSet dataSet, X509Certificate2Collection recipients)
    {
        foreach (DataSet item in dataSet.Find(Tags.EncryptedAttributesSequence)?.Items ?? [])
        {
            if (item.Find(Tags.EncryptedContent) is { ValueLength: > 0 } content
                && TryDecrypt(content.Value, recipients) is { } plain)
            {
                return DataSetReader.Read(plain, TransferSyntax.Of(
                    item.GetText(Tags.EncryptedContentTransferSyntaxUID) ?? TransferSyntax.ExplicitVRLittleEndian.UID));
            }
        }

        return null;
    }

    private static byte[]? TryDecrypt(ReadOnlyMemory<byte> content, X509Certificate2Collection recipients)
    {
        try
        {
            // An odd DER encoding was padded with one NUL to make the OB value even: take the DER's own length.
            AsnDecoder.ReadEncodedValue(content.Span, AsnEncodingRules.BER, out _, out _, out int encoded);
            var envelope = new EnvelopedCms();
            envelope.Decode(content.Span[..encoded]);
            foreach (RecipientInfo info in envelope.RecipientInfos)
            {
                if (Find(recipients, info) is { } certificate)
                {
                    using RSA? key = certificate.GetRSAPrivateKey();
                    envelope.Decrypt(info, key);
                    return envelope.ContentInfo.Content;
                }
            }
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            // Damaged, or another site's item that only looks like ours: not readable is not ours.
        }

        return null;
    }

    private static X509Certificate2? Find(X509Certificate2Collection recipients, RecipientInfo info)
    {
        if (info.RecipientIdentifier.Value is not System.Security.Cryptography.Xml.X509IssuerSerial serial)
        {
            return null;
        }

        foreach (X509Certificate2 certificate in recipients)
        {
            if (certificate.SerialNumber == serial.SerialNumber && certificate.Issuer == serial.IssuerName)
            {
                return certificate;
            }
        }

        return null;
    }
}
