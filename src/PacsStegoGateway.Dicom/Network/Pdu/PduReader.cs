using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>
/// Cuts PDUs off a stream of bytes. Every PDU begins with (PS3.8 9.3.1; positions counted from 1, numbers big endian)
/// <code>
///  1       PDU-type     01H A-ASSOCIATE-RQ   02H -AC   03H -RJ   04H P-DATA-TF   05H A-RELEASE-RQ   06H -RP   07H A-ABORT
///  2       reserved     sent 00H, not tested
///  3-6     PDU-length   bytes that follow
/// </code>
/// and goes on, for the short ones (lengths are 4),
/// <code>
///  A-ASSOCIATE-RJ   7 reserved   8 Result   9 Source   10 Reason/Diag.        (PS3.8 9.3.4)
///  A-RELEASE-RQ/RP  7-10 reserved                                             (PS3.8 9.3.6, 9.3.7)
///  A-ABORT          7 reserved   8 reserved 9 Source   10 Reason/Diag.        (PS3.8 9.3.8)
/// </code>
/// for P-DATA-TF with presentation data values (PS3.8 9.3.5) and for the two A-ASSOCIATE PDUs as drawn at
/// <see cref="ReadAssociate"/>.
/// </summary>
public static partial class PduReader
{
    /// <summary>Bytes before the variable field.</summary>
    public const int HeaderLength = 6;

    /// <summary>Takes the next whole PDU off the buffer.</summary>
    /// <param name="buffer">Moved past the PDU on true, untouched on false.</param>
    /// <returns>False when more bytes are needed. No more than the header is needed to refuse a length.</returns>
    /// <exception cref="DimseProtocolException">The type is unknown, the length is beyond its limit, or a field is wrong.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, AssociationLimits limits, [NotNullWhen(true)] out Pdu? pdu)
    {
        pdu = null;
        if (buffer.IsEmpty)
        {
            return false;
        }

        byte type = buffer.FirstSpan.IsEmpty ? buffer.Slice(0, 1).ToArray()[0] : buffer.FirstSpan[0];
        if (type is < PduType.AssociateRq or > PduType.Abort)
        {
            throw new DimseProtocolException($"PDU type {type:X2}H is not known.", AbortReason.UnrecognizedPdu);
        }

        if (buffer.Length < HeaderLength)
        {
            return false;
        }

        Span<byte> header = stackalloc byte[HeaderLength];
        buffer.Slice(0, HeaderLength).CopyTo(header);
        uint length = BinaryPrimitives.ReadUInt32BigEndian(header[2..]);
        RefuseLength(type, length, limits);
        if (buffer.Length - HeaderLength < length)
        {
            return false;
        }

        ReadOnlySequence<byte> body = buffer.Slice(HeaderLength, length);
        pdu = type switch
        {
            PduType.PDataTf => ReadPDataTf(body),
            PduType.AssociateRq or PduType.AssociateAc => ReadAssociate(type, body, limits),
            PduType.AssociateRj => ReadShort(body, static b => new AssociateRj(b[1], b[2], b[3])),
            PduType.ReleaseRq => new ReleaseRq(),
            PduType.ReleaseRp => new ReleaseRp(),
            _ => ReadShort(body, static b => new Abort(b[2], b[3])),
        };
        buffer = buffer.Slice(HeaderLength + (long)length);
        return true;
    }

    private static void RefuseLength(byte type, uint length, AssociationLimits limits)
    {
        (uint least, uint most) = type switch
        {
            PduType.AssociateRq or PduType.AssociateAc => (68u, limits.MaxAssociatePduLength),
            PduType.PDataTf => (6u, limits.MaxPduLength),
            _ => (4u, 4u),
        };
        if (length < least || length > most)
        {
            throw new DimseProtocolException($"A PDU of type {type:X2}H announces {length} bytes; {least} to {most} are possible.",
                AbortReason.InvalidPduParameterValue);
        }
    }

    private static PDataTf ReadPDataTf(ReadOnlySequence<byte> body)
    {
        ReadOnlySequence<byte> rest = body;
        while (PresentationDataValue.TryTake(ref rest, out _))
        {
            // Taking an item checks its length: whoever holds the PDU need not.
        }

        return new PDataTf(body);
    }

    private static T ReadShort<T>(ReadOnlySequence<byte> body, Func<byte[], T> read) => read(body.ToArray());
}

/// <summary>PDU-type (PS3.8 9.3.1).</summary>
internal static class PduType
{
    public const byte AssociateRq = 1;
    public const byte AssociateAc = 2;
    public const byte AssociateRj = 3;
    public const byte PDataTf = 4;
    public const byte ReleaseRq = 5;
    public const byte ReleaseRp = 6;
    public const byte Abort = 7;
}

/// <summary>Item types of the A-ASSOCIATE PDUs (PS3.8 9.3.2, 9.3.3, Annex D; PS3.7 D.3.3).</summary>
internal static class ItemType
{
    public const byte ApplicationContext = 0x10;
    public const byte PresentationContextRq = 0x20;
    public const byte PresentationContextAc = 0x21;
    public const byte AbstractSyntax = 0x30;
    public const byte TransferSyntax = 0x40;
    public const byte UserInformation = 0x50;
    public const byte MaximumLength = 0x51;
    public const byte ImplementationClassUID = 0x52;
    public const byte AsynchronousOperationsWindow = 0x53;
    public const byte RoleSelection = 0x54;
    public const byte ImplementationVersionName = 0x55;
    public const byte ExtendedNegotiation = 0x56;
    public const byte CommonExtendedNegotiation = 0x57;
    public const byte UserIdentity = 0x58;
    public const byte UserIdentityResponse = 0x59;
}
