using System.Buffers;

namespace PacsStegoGateway.Dicom.Network;

/// <summary>Puts command fragments together, never holding more than the limit.</summary>
internal sealed class CommandAssembler(int maxLength)
{
    private readonly ArrayBufferWriter<byte> _bytes = new(512);
    private byte _contextID;

    /// <summary>True between the first fragment of a command and its last.</summary>
    public bool IsUnderWay { get; private set; }

    /// <summary>The whole command with its last fragment, else null.</summary>
    /// <exception cref="DimseProtocolException">Too long, mixed contexts, or no command set.</exception>
    public CommandSet? Append(in PresentationDataValue value)
    {
        if (IsUnderWay && value.ContextID != _contextID)
        {
            throw new DimseProtocolException($"Command fragments of contexts {_contextID} and {value.ContextID} are mixed.",
                AbortReason.UnexpectedPduParameter);
        }

        if (_bytes.WrittenCount + value.Fragment.Length > maxLength)
        {
            throw new DimseProtocolException($"A command set of more than {maxLength} bytes.");
        }

        _contextID = value.ContextID;
        IsUnderWay = true;
        foreach (ReadOnlyMemory<byte> part in value.Fragment)
        {
            _bytes.Write(part.Span);
        }

        if (!value.IsLast)
        {
            return null;
        }

        byte[] whole = _bytes.WrittenSpan.ToArray();
        _bytes.ResetWrittenCount();
        IsUnderWay = false;
        return CommandSet.Parse(whole);
    }
}
