using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace PacsStegoGateway.Dicom.Network;

public static partial class PduReader
{
    /// <summary>
    /// A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2, 9.3.3):
    /// <code>
    ///  7-8     Protocol-version     bit 0 = version 1
    ///  9-10    reserved
    ///  11-26   Called-AE-title      16 characters, spaces are not significant at either end
    ///  27-42   Calling-AE-title
    ///  43-74   reserved
    ///  75-xxx  items: 1 Item-type   2 reserved   3-4 Item-length   5-xxx content
    ///            10H application context name
    ///            20H / 21H presentation context, proposed / answered
    ///                5 Presentation-context-ID   6 reserved   7 Result (AC only)   8 reserved   9-xxx 30H abstract, 40H transfer syntaxes
    ///            50H user information: 51H maximum length, 52H implementation class, 53H asynchronous operations window,
    ///                54H role selection, 55H implementation version, 56H extended negotiation, 57H common extended
    ///                negotiation, 58H user identity, 59H the answer to it
    /// </code>
    /// Items of any other type are passed over, as PS3.8 9.3.1 demands.
    /// </summary>
    private static Pdu ReadAssociate(byte type, ReadOnlySequence<byte> body, AssociationLimits limits)
    {
        ReadOnlySpan<byte> bytes = body.IsSingleSegment ? body.FirstSpan : body.ToArray();
        ushort version = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        string called = Text(bytes[4..20]);
        string calling = Text(bytes[20..36]);
        string applicationContext = "";
        List<ProposedContext> proposed = [];
        List<AnsweredContext> answered = [];
        var user = new UserInformation();

        ReadOnlySpan<byte> items = bytes[68..];
        while (TakeItem(ref items, out byte itemType, out ReadOnlySpan<byte> content))
        {
            switch (itemType)
            {
                case ItemType.ApplicationContext:
                    applicationContext = Text(content);
                    break;
                case ItemType.PresentationContextRq when type == PduType.AssociateRq:
                    proposed.Add(ReadProposed(content));
                    break;
                case ItemType.PresentationContextAc when type == PduType.AssociateAc:
                    answered.Add(ReadAnswered(content));
                    break;
                case ItemType.UserInformation:
                    user = ReadUserInformation(content);
                    break;
            }

            if (Math.Max(proposed.Count, answered.Count) > limits.MaxPresentationContexts)
            {
                throw Wrong($"More than {limits.MaxPresentationContexts} presentation contexts.");
            }
        }

        return type == PduType.AssociateRq
            ? new AssociateRq
            {
                ProtocolVersion = version,
                CalledAETitle = called,
                CallingAETitle = calling,
                ApplicationContextName = applicationContext,
                PresentationContexts = proposed,
                UserInformation = user,
            }
            : new AssociateAc
            {
                ProtocolVersion = version,
                CalledAETitle = called,
                CallingAETitle = calling,
                ApplicationContextName = applicationContext,
                PresentationContexts = answered,
                UserInformation = user,
            };
    }

    private static ProposedContext ReadProposed(ReadOnlySpan<byte> content)
    {
        byte id = ContextID(content);
        string? abstractSyntax = null;
        List<string> transferSyntaxes = [];
        ReadOnlySpan<byte> items = content[4..];
        while (TakeItem(ref items, out byte type, out ReadOnlySpan<byte> name))
        {
            if (type == ItemType.AbstractSyntax)
            {
                abstractSyntax = Text(name);
            }
            else if (type == ItemType.TransferSyntax)
            {
                transferSyntaxes.Add(Text(name));
            }
        }

        return abstractSyntax is null || transferSyntaxes.Count == 0
            ? throw Wrong($"Presentation context {id} proposes no abstract or no transfer syntax.")
            : new ProposedContext(abstractSyntax, transferSyntaxes) { ID = id };
    }

    private static AnsweredContext ReadAnswered(ReadOnlySpan<byte> content)
    {
        byte id = ContextID(content);
        string transferSyntax = "";
        ReadOnlySpan<byte> items = content[4..];
        while (TakeItem(ref items, out byte type, out ReadOnlySpan<byte> name))
        {
            if (type == ItemType.TransferSyntax)
            {
                transferSyntax = Text(name);
            }
        }

        return new AnsweredContext(id, (PresentationContextResult)content[2], transferSyntax);
    }

    private static byte ContextID(ReadOnlySpan<byte> content)
    {
        if (content.Length < 4)
        {
            throw Wrong($"A presentation context item of {content.Length} bytes.");
        }

        return (content[0] & 1) == 1 ? content[0] : throw Wrong($"Presentation context ID {content[0]} is even.");
    }

    private static UserInformation ReadUserInformation(ReadOnlySpan<byte> items)
    {
        var user = new UserInformation();
        List<RoleSelection> roles = [];
        List<ExtendedNegotiation> extended = [];
        List<CommonExtendedNegotiation> common = [];
        while (TakeItem(ref items, out byte type, out ReadOnlySpan<byte> content))
        {
            switch (type)
            {
                case ItemType.MaximumLength:
                    user = content.Length == 4
                        ? user with { MaxPduLength = BinaryPrimitives.ReadUInt32BigEndian(content) }
                        : throw Wrong($"A maximum length sub-item of {content.Length} bytes.");
                    break;
                case ItemType.ImplementationClassUID:
                    user = user with { ImplementationClassUID = Text(content) };
                    break;
                case ItemType.ImplementationVersionName:
                    user = user with { ImplementationVersionName = Text(content) };
                    break;
                case ItemType.AsynchronousOperationsWindow:
                    user = content.Length == 4
                        ? user with
                        {
                            AsynchronousOperationsWindow = new AsynchronousOperationsWindow(
                                BinaryPrimitives.ReadUInt16BigEndian(content), BinaryPrimitives.ReadUInt16BigEndian(content[2..])),
                        }
                        : throw Wrong($"An asynchronous operations window sub-item of {content.Length} bytes.");
                    break;
                case ItemType.RoleSelection:
                    // 5-6 UID-length   7-xxx SOP-class-uid   then SCU-role, SCP-role (PS3.7 Table D.3-9)
                    ReadOnlySpan<byte> uid = Counted(ref content);
                    roles.Add(content.Length >= 2
                        ? new RoleSelection(Text(uid), content[0] == 1, content[1] == 1)
                        : throw Wrong("A role selection sub-item without its two roles."));
                    break;
                case ItemType.ExtendedNegotiation:
                    // 5-6 UID-length   7-xxx SOP-class-uid   then Service-class-application-information (PS3.7 Table D.3-11)
                    string sopClass = Text(Counted(ref content));
                    extended.Add(new ExtendedNegotiation(sopClass, content.ToArray()));
                    break;
                case ItemType.CommonExtendedNegotiation:
                    common.Add(ReadCommonExtended(content));
                    break;
                case ItemType.UserIdentity:
                    user = user with { UserIdentity = ReadUserIdentity(content) };
                    break;
                case ItemType.UserIdentityResponse:
                    user = user with { UserIdentityResponse = Counted(ref content).ToArray() };
                    break;
            }
        }

        return user with { RoleSelections = roles, ExtendedNegotiations = extended, CommonExtendedNegotiations = common };
    }

    /// <summary>
    /// SOP-class-uid, Service-class-uid and a counted list of related general SOP classes, each with its own length
    /// (PS3.7 Table D.3-12).
    /// </summary>
    private static CommonExtendedNegotiation ReadCommonExtended(ReadOnlySpan<byte> content)
    {
        string sopClass = Text(Counted(ref content));
        string serviceClass = Text(Counted(ref content));
        List<string> related = [];
        ReadOnlySpan<byte> list = content.IsEmpty ? [] : Counted(ref content);
        while (!list.IsEmpty)
        {
            related.Add(Text(Counted(ref list)));
        }

        return new CommonExtendedNegotiation(sopClass, serviceClass, related);
    }

    /// <summary>
    /// 5 User-Identity-Type   6 Positive-response-requested   7-8 Primary-field-length   9-n Primary-field
    /// then Secondary-field-length and Secondary-field (PS3.7 Table D.3-14).
    /// </summary>
    private static UserIdentity ReadUserIdentity(ReadOnlySpan<byte> content)
    {
        if (content.Length < 2)
        {
            throw Wrong($"A user identity sub-item of {content.Length} bytes.");
        }

        byte type = content[0];
        bool wantsResponse = content[1] == 1;
        content = content[2..];
        byte[] primary = Counted(ref content).ToArray();
        byte[] secondary = Counted(ref content).ToArray();
        return new UserIdentity(type, wantsResponse, primary, secondary);
    }

    private static bool TakeItem(ref ReadOnlySpan<byte> items, out byte type, out ReadOnlySpan<byte> content)
    {
        if (items.IsEmpty)
        {
            type = 0;
            content = default;
            return false;
        }

        if (items.Length < 4)
        {
            throw Wrong($"{items.Length} bytes left over where an item should be.");
        }

        type = items[0];
        items = items[2..];
        content = Counted(ref items);
        return true;
    }

    /// <summary>A 16-bit length and as many bytes.</summary>
    private static ReadOnlySpan<byte> Counted(ref ReadOnlySpan<byte> bytes)
    {
        int length = bytes.Length < 2 ? int.MaxValue : BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (length > bytes.Length - 2)
        {
            throw Wrong("An item runs past the end of what holds it.");
        }

        ReadOnlySpan<byte> content = bytes.Slice(2, length);
        bytes = bytes[(2 + length)..];
        return content;
    }

    /// <summary>Names carry no padding by the standard; that of real peers, spaces and NULs, is removed.</summary>
    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes.Trim(" \0"u8));

    private static DimseProtocolException Wrong(string message) => new(message, AbortReason.InvalidPduParameterValue);
}
