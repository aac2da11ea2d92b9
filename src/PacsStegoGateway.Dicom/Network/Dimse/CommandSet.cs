namespace PacsStegoGateway.Dicom.Network;

/// <summary>(0000,0100) Command Field (PS3.7 E.1). A response is its request with the high bit set.</summary>
internal enum CommandField : ushort
{
    CStoreRq = 0x0001,
    CGetRq = 0x0010,
    CFindRq = 0x0020,
    CMoveRq = 0x0021,
    CEchoRq = 0x0030,
    NEventReportRq = 0x0100,
    NActionRq = 0x0130,
    CCancelRq = 0x0FFF,
}

/// <summary>A command set (PS3.7 6.3): group 0000, always Implicit VR Little Endian.</summary>
internal sealed class CommandSet
{
    private const ushort NoDataSet = 0x0101;
    private const ushort WithDataSet = 0x0001;
    private const ushort ResponseBit = 0x8000;

    private readonly DataSet _elements;

    private CommandSet(DataSet elements) => _elements = elements;

    public CommandField Field => (CommandField)(UInt16(Tags.CommandField) ?? 0);

    public bool IsResponse => ((ushort)Field & ResponseBit) != 0;

    public bool HasDataSet => UInt16(Tags.CommandDataSetType) is { } type && type != NoDataSet;

    public ushort? MessageID => UInt16(Tags.MessageID);

    public ushort? MessageIDBeingRespondedTo => UInt16(Tags.MessageIDBeingRespondedTo);

    public string AffectedSOPClassUID => Text(Tags.AffectedSOPClassUID);

    public string AffectedSOPInstanceUID => Text(Tags.AffectedSOPInstanceUID);

    public string RequestedSOPClassUID => Text(Tags.RequestedSOPClassUID);

    public string RequestedSOPInstanceUID => Text(Tags.RequestedSOPInstanceUID);

    public string MoveDestination => Text(Tags.MoveDestination);

    public string? ErrorComment => _elements.GetText(Tags.ErrorComment);

    public DimsePriority Priority => (DimsePriority)(UInt16(Tags.Priority) ?? 0);

    public DimseStatus Status => new(UInt16(Tags.Status)
        ?? throw new DimseProtocolException("A response without (0000,0900) Status."));

    public MoveOriginator? MoveOriginator => Text(Tags.MoveOriginatorApplicationEntityTitle) is { Length: > 0 } title
        ? new MoveOriginator(title, UInt16(Tags.MoveOriginatorMessageID) ?? 0)
        : null;

    /// <exception cref="DimseProtocolException">The bytes are no command set.</exception>
    public static CommandSet Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            DataSet elements = DataSetReader.Read(bytes, TransferSyntax.ImplicitVRLittleEndian);
            return elements.Contains(Tags.CommandField)
                ? new CommandSet(elements)
                : throw new DimseProtocolException("A command set without (0000,0100) Command Field.");
        }
        catch (DicomContentException e)
        {
            throw new DimseProtocolException("The command set cannot be read.", e);
        }
    }

    public static CommandSet Request(CommandField field, ushort messageID, string affectedSOPClassUID, bool hasDataSet)
    {
        CommandSet command = New((ushort)field, hasDataSet);
        command._elements.SetText(Tags.AffectedSOPClassUID, affectedSOPClassUID);
        command.Set(Tags.MessageID, messageID);
        if (field is not CommandField.CEchoRq)
        {
            command.Set(Tags.Priority, (ushort)DimsePriority.Medium);
        }

        return command;
    }

    /// <summary>N-ACTION-RQ (PS3.7 10.3.5).</summary>
    public static CommandSet Action(ushort messageID, string sopClassUID, string sopInstanceUID, ushort actionTypeID, bool hasDataSet)
    {
        CommandSet command = New((ushort)CommandField.NActionRq, hasDataSet);
        command._elements.SetText(Tags.RequestedSOPClassUID, sopClassUID);
        command._elements.SetText(Tags.RequestedSOPInstanceUID, sopInstanceUID);
        command.Set(Tags.MessageID, messageID);
        command.Set(Tags.ActionTypeID, actionTypeID);
        return command;
    }

    /// <summary>N-EVENT-REPORT-RQ (PS3.7 10.3.1).</summary>
    public static CommandSet EventReport(ushort messageID, string sopClassUID, string sopInstanceUID, ushort eventTypeID, bool hasDataSet)
    {
        CommandSet command = New((ushort)CommandField.NEventReportRq, hasDataSet);
        command._elements.SetText(Tags.AffectedSOPClassUID, sopClassUID);
        command._elements.SetText(Tags.AffectedSOPInstanceUID, sopInstanceUID);
        command.Set(Tags.MessageID, messageID);
        command.Set(Tags.EventTypeID, eventTypeID);
        return command;
    }

    public static CommandSet CancelOf(ushort messageID)
    {
        CommandSet command = New((ushort)CommandField.CCancelRq, hasDataSet: false);
        command.Set(Tags.MessageIDBeingRespondedTo, messageID);
        return command;
    }

    /// <summary>The response to this request, with what it must repeat (PS3.7 9.3).</summary>
    public CommandSet Answer(DimseStatus status, bool hasDataSet = false, string? errorComment = null, Tag? offendingElement = null)
    {
        CommandSet response = New((ushort)((ushort)Field | ResponseBit), hasDataSet);
        response.Set(Tags.MessageIDBeingRespondedTo, MessageID ?? 0);
        response.Set(Tags.Status, status.Code);
        if (Field == CommandField.NActionRq)
        {
            // What was requested is what is affected.
            response._elements.SetText(Tags.AffectedSOPClassUID, RequestedSOPClassUID);
            response._elements.SetText(Tags.AffectedSOPInstanceUID, RequestedSOPInstanceUID);
        }

        foreach (Tag repeated in (ReadOnlySpan<Tag>)[Tags.AffectedSOPClassUID, Tags.AffectedSOPInstanceUID, Tags.EventTypeID, Tags.ActionTypeID])
        {
            if (_elements.Find(repeated) is { } element)
            {
                response._elements.Set(element);
            }
        }

        if (!status.IsSuccess && !string.IsNullOrEmpty(errorComment))
        {
            response._elements.SetText(Tags.ErrorComment, errorComment.Length > 64 ? errorComment[..64] : errorComment);
        }

        if (!status.IsSuccess && offendingElement is { } tag)
        {
            response._elements.Set(Element.Raw(Tags.OffendingElement, Vr.AT,
                new[] { (byte)tag.Group, (byte)(tag.Group >> 8), (byte)tag.Element, (byte)(tag.Element >> 8) }));
        }

        return response;
    }

    public ushort? UInt16(Tag tag) => _elements.GetInt32(tag) is { } value ? (ushort)value : null;

    public void Set(Tag tag, ushort value) => _elements.Set(Element.UInt16(tag, value));

    public void SetText(Tag tag, string value) => _elements.SetText(tag, value);

    /// <summary>The encoded command, with (0000,0000) before it.</summary>
    public byte[] ToArray()
    {
        _elements.Remove(Tags.CommandGroupLength);
        _elements.Set(Element.UInt32(Tags.CommandGroupLength,
            (uint)DataSetWriter.LengthOf(_elements, TransferSyntax.ImplicitVRLittleEndian)));
        return DataSetWriter.ToArray(_elements, TransferSyntax.ImplicitVRLittleEndian);
    }

    private static CommandSet New(ushort field, bool hasDataSet)
    {
        var command = new CommandSet([]);
        command.Set(Tags.CommandField, field);
        command.Set(Tags.CommandDataSetType, hasDataSet ? WithDataSet : NoDataSet);
        return command;
    }

    private string Text(Tag tag) => _elements.GetText(tag) ?? "";
}
