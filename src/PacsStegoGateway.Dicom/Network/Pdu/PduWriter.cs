using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>Writes the PDUs that <see cref="PduReader"/> draws.</summary>
public static class PduWriter
{
    /// <summary>The one application context name there is (PS3.7 A.2.1).</summary>
    public const string DicomApplicationContextName = "1.2.840.10008.3.1.1.1";

    /// <summary>PDU header, item length, context ID and control header: what stands before a single fragment.</summary>
    public const int PDataHeaderLength = PduReader.HeaderLength + PresentationDataValue.HeaderLength;

    /// <exception cref="ArgumentException">An AE title is empty or too long, or an item is longer than 65,535 bytes.</exception>
    public static void Write(Pdu pdu, IBufferWriter<byte> output)
    {
        switch (pdu)
        {
            case AssociateRq rq:
                WriteWhole(output, PduType.AssociateRq, Associate(rq.ProtocolVersion, rq.CalledAETitle, rq.CallingAETitle,
                    rq.ApplicationContextName, rq.PresentationContexts.Select(Proposed), rq.UserInformation));
                break;
            case AssociateAc ac:
                WriteWhole(output, PduType.AssociateAc, Associate(ac.ProtocolVersion, ac.CalledAETitle, ac.CallingAETitle,
                    ac.ApplicationContextName, ac.PresentationContexts.Select(Answered), ac.UserInformation));
                break;
            case AssociateRj rj:
                WriteWhole(output, PduType.AssociateRj, [0, rj.Result, rj.Source, rj.Reason]);
                break;
            case PDataTf data:
                WriteWhole(output, PduType.PDataTf, data.Items.ToArray());
                break;
            case ReleaseRq:
                WriteWhole(output, PduType.ReleaseRq, [0, 0, 0, 0]);
                break;
            case ReleaseRp:
                WriteWhole(output, PduType.ReleaseRp, [0, 0, 0, 0]);
                break;
            case Abort abort:
                WriteWhole(output, PduType.Abort, [0, 0, abort.Source, abort.Reason]);
                break;
            default:
                throw new ArgumentException($"{pdu.GetType().Name} is no PDU of PS3.8.", nameof(pdu));
        }
    }

    /// <summary>
    /// The first 12 bytes of a P-DATA-TF PDU with one presentation data value; <paramref name="fragmentLength"/> bytes follow.
    /// </summary>
    public static void WritePDataHeader(Span<byte> header, byte contextID, bool isCommand, bool isLast, int fragmentLength)
    {
        header[0] = PduType.PDataTf;
        header[1] = 0;
        BinaryPrimitives.WriteInt32BigEndian(header[2..], fragmentLength + PresentationDataValue.HeaderLength);
        BinaryPrimitives.WriteInt32BigEndian(header[6..], fragmentLength + 2);
        header[10] = contextID;
        header[11] = (byte)((isCommand ? PresentationDataValue.CommandBit : 0) | (isLast ? PresentationDataValue.LastBit : 0));
    }

    /// <summary>
    /// The longest fragment, in bytes, for a peer that receives PDUs of at most <paramref name="peerMaxPduLength"/> bytes
    /// (0 = any length). Even, because every fragment but an object's last must be (PS3.8 E.2 with PS3.5 7.1).
    /// </summary>
    public static int FragmentLength(uint peerMaxPduLength, int mostWanted)
    {
        long most = peerMaxPduLength == 0 ? mostWanted : Math.Min(mostWanted, (long)peerMaxPduLength - PresentationDataValue.HeaderLength);
        return (int)most & ~1;
    }

    private static void WriteWhole(IBufferWriter<byte> output, byte type, ReadOnlySpan<byte> body)
    {
        Span<byte> span = output.GetSpan(PduReader.HeaderLength + body.Length);
        span[0] = type;
        span[1] = 0;
        BinaryPrimitives.WriteInt32BigEndian(span[2..], body.Length);
        body.CopyTo(span[PduReader.HeaderLength..]);
        output.Advance(PduReader.HeaderLength + body.Length);
    }

    private static byte[] Associate(ushort version, string called, string calling, string applicationContext,
        IEnumerable<byte[]> contexts, UserInformation user)
    {
        byte[] fixedPart = new byte[68];
        BinaryPrimitives.WriteUInt16BigEndian(fixedPart, version);
        Title(called, fixedPart.AsSpan(4, 16));
        Title(calling, fixedPart.AsSpan(20, 16));
        return [.. fixedPart, .. Item(ItemType.ApplicationContext, Text(applicationContext)), .. contexts.SelectMany(static c => c),
            .. Item(ItemType.UserInformation, User(user))];
    }

    private static byte[] Proposed(ProposedContext context) => Item(ItemType.PresentationContextRq,
        [context.ID, 0, 0, 0, .. Item(ItemType.AbstractSyntax, Text(context.AbstractSyntax)),
            .. context.TransferSyntaxes.SelectMany(static t => Item(ItemType.TransferSyntax, Text(t)))]);

    private static byte[] Answered(AnsweredContext context) => Item(ItemType.PresentationContextAc,
        [context.ID, 0, (byte)context.Result, 0, .. Item(ItemType.TransferSyntax, Text(context.TransferSyntax))]);

    /// <summary>In ascending order of item type, as PS3.7 D.3.3 lists them.</summary>
    private static byte[] User(UserInformation user)
    {
        byte[] maxLength = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(maxLength, user.MaxPduLength);
        List<byte> items = [.. Item(ItemType.MaximumLength, maxLength),
            .. Item(ItemType.ImplementationClassUID, Text(user.ImplementationClassUID))];
        if (user.AsynchronousOperationsWindow is { } window)
        {
            byte[] counts = new byte[4];
            BinaryPrimitives.WriteUInt16BigEndian(counts, window.MaxInvoked);
            BinaryPrimitives.WriteUInt16BigEndian(counts.AsSpan(2), window.MaxPerformed);
            items.AddRange(Item(ItemType.AsynchronousOperationsWindow, counts));
        }

        foreach (RoleSelection role in user.RoleSelections)
        {
            items.AddRange(Item(ItemType.RoleSelection,
                [.. Counted(Text(role.SOPClassUID)), role.ScuRole ? (byte)1 : (byte)0, role.ScpRole ? (byte)1 : (byte)0]));
        }

        if (user.ImplementationVersionName is { } name)
        {
            items.AddRange(Item(ItemType.ImplementationVersionName, Text(name)));
        }

        foreach (ExtendedNegotiation extended in user.ExtendedNegotiations)
        {
            items.AddRange(Item(ItemType.ExtendedNegotiation,
                [.. Counted(Text(extended.SOPClassUID)), .. extended.ApplicationInformation.ToArray()]));
        }

        foreach (CommonExtendedNegotiation common in user.CommonExtendedNegotiations)
        {
            items.AddRange(Item(ItemType.CommonExtendedNegotiation,
                [.. Counted(Text(common.SOPClassUID)), .. Counted(Text(common.ServiceClassUID)),
                    .. Counted([.. common.RelatedGeneralSOPClassUIDs.SelectMany(static u => Counted(Text(u)))])]));
        }

        if (user.UserIdentity is { } identity)
        {
            items.AddRange(Item(ItemType.UserIdentity, [identity.Type, identity.PositiveResponseRequested ? (byte)1 : (byte)0,
                .. Counted(identity.PrimaryField.ToArray()), .. Counted(identity.SecondaryField.ToArray())]));
        }

        if (user.UserIdentityResponse is { } response)
        {
            items.AddRange(Item(ItemType.UserIdentityResponse, Counted(response.ToArray())));
        }

        return [.. items];
    }

    private static byte[] Item(byte type, byte[] content) => [type, 0, .. Counted(content)];

    private static byte[] Counted(byte[] content) => content.Length <= ushort.MaxValue
        ? [(byte)(content.Length >> 8), (byte)content.Length, .. content]
        : throw new ArgumentException($"{content.Length} bytes do not fit into an item.", nameof(content));

    private static byte[] Text(string text) => Encoding.Latin1.GetBytes(text);

    private static void Title(string title, Span<byte> field)
    {
        if (title.Length > field.Length)
        {
            throw new ArgumentException($"An AE title has at most 16 characters, not {title.Length}.", nameof(title));
        }

        field.Fill((byte)' ');
        Encoding.Latin1.GetBytes(title, field);
    }
}
