using System.Buffers;
using System.Text.Json;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Fuzz;

/// <summary>What must hold for every input whatsoever.</summary>
/// <remarks>
/// Reading either refuses with the exception that its contract names, or gives something that is written and read again as
/// the same; never another exception, and never more memory than <see cref="Base"/> and so much for every byte.
/// </remarks>
internal sealed class Oracle
{
    /// <summary>Bytes that reading may allocate whatever the input, for tables, lists and an exception with its trace.</summary>
    private const long Base = 128 * 1024;

    /// <summary>Bytes that reading may allocate for each byte of input: an empty item has 8 and becomes an object and a list.</summary>
    private const long PerByte = 48;

    /// <summary>What one byte of JSON may cost: an empty item has 3.</summary>
    private const long PerJsonByte = 128;

    private static readonly DicomReadOptions Lenient = new() { MaxInflatedLength = 1 << 18 };
    private static readonly DicomReadOptions Strict = Lenient with { Strict = true };

    /// <summary>Inputs of each kind that were given, and how many of them were accepted.</summary>
    public Dictionary<InputKind, (long Given, long Accepted)> Counts { get; } = [];

    /// <exception cref="FuzzFailureException">Something that must hold does not.</exception>
    public void Check(Input input)
    {
        bool isAccepted = input.Kind switch
        {
            InputKind.Pdu => Pdus(input.Bytes),
            InputKind.Command => Command(input.Bytes),
            InputKind.Json => Json(input.Bytes),
            InputKind.File => FileOf(input.Bytes),
            _ => DataSetOf(input.Bytes, Input.SyntaxOf(input.Kind)),
        };
        (long given, long accepted) = Counts.GetValueOrDefault(input.Kind);
        Counts[input.Kind] = (given + 1, accepted + (isAccepted ? 1 : 0));
    }

    private static bool DataSetOf(byte[] bytes, TransferSyntax syntax)
    {
        long most = Base + (PerByte * (syntax.Deflated ? bytes.Length + (4L * Lenient.MaxInflatedLength) : bytes.Length));
        DataSet? strict = Read(most, () => DataSetReader.Read(bytes, syntax, Strict));
        if (strict is not null && !syntax.Deflated)
        {
            Same(bytes, DataSetWriter.ToArray(strict, syntax), "strictly read and written");
        }

        DataSet? set = Read(most, () => DataSetReader.Read(bytes, syntax, Lenient));
        if (set is null)
        {
            if (Read(long.MaxValue, () => DataSetReader.Read(Torn(bytes), syntax, Lenient)) is not null)
            {
                throw new FuzzFailureException("Bytes in two pieces are accepted, in one they are refused.");
            }

            return strict is null ? false : throw new FuzzFailureException("The strict reader accepts what the lenient one refuses.");
        }

        // Bytes that lie in two places are read through a window instead of a span: the same must come of it.
        DataSet torn = Must(() => DataSetReader.Read(Torn(bytes), syntax, Lenient), "the same bytes in two pieces are refused");
        Same(DataSetWriter.ToArray(set, syntax), DataSetWriter.ToArray(torn, syntax), "read from one piece and from two");

        // The head of a data set is read as far as it goes, cut anywhere.
        Read(most, () => DataSetReader.ReadHead(bytes.AsMemory(0, bytes.Length / 2), syntax, Tags.PixelData, Lenient));
        Views(set);
        byte[] written = DataSetWriter.ToArray(set, syntax);
        if (!syntax.Deflated)
        {
            Equal(written.Length, DataSetWriter.LengthOf(set, syntax), "counted and written bytes");
        }

        byte[] again = DataSetWriter.ToArray(Must(() => DataSetReader.Read(written, syntax, Lenient), "what was written is refused"), syntax);
        Same(written, again, "written, read and written");
        Same(written, DataSetWriter.ToArray(set.Clone(), syntax), "cloned and written");
        foreach (TransferSyntax other in (ReadOnlySpan<TransferSyntax>)[TransferSyntax.ImplicitVRLittleEndian, TransferSyntax.ExplicitVRLittleEndian, TransferSyntax.ExplicitVRBigEndian])
        {
            byte[] transcoded = DataSetWriter.ToArray(set, other);
            Read(Base + (PerByte * transcoded.Length), () => DataSetReader.Read(transcoded, other, Lenient));
        }

        return true;
    }

    private static ByteSource Torn(byte[] bytes) =>
        ByteSource.Join(ByteSource.Of(bytes.AsMemory(0, bytes.Length / 3)), ByteSource.Of(bytes.AsMemory(bytes.Length / 3)));

    private static bool FileOf(byte[] bytes)
    {
        long most = Base + (PerByte * (bytes.Length + (4L * Lenient.MaxInflatedLength)));
        DicomFile? strict = Read(most, () => DicomFile.Read(bytes, Strict));
        if (strict is not null)
        {
            Same(bytes, strict.ToArray(), "a file strictly read and written");
        }

        DicomFile? file = Read(most, () => DicomFile.Read(bytes, Lenient));
        if (file is null)
        {
            return false;
        }

        Views(file.DataSet);
        byte[] written = file.ToArray();

        // A first header that is damaged, or stands first only since the elements were put in order, may make the bytes look
        // like another encoding than the one they were read in; where the syntax is given (on the network) nothing is guessed.
        if (Read(most, () => DicomFile.Read(written, Lenient)) is { } back && back.TransferSyntax == file.TransferSyntax)
        {
            Same(written, back.ToArray(), "a file written, read and written");
        }

        return true;
    }

    /// <summary>What people and other programs are shown.</summary>
    private static void Views(DataSet set)
    {
        DataSetText.Dump(set, TextWriter.Null);
        foreach (Element element in set)
        {
            set.GetText(element.Tag);
            set.GetInt32(element.Tag);
            set.GetDouble(element.Tag);
        }

        byte[] json = Json(set);
        byte[] again = Json(Must(() => DicomJson.Read(json), "the JSON that was written is refused"));
        byte[] third = Json(Must(() => DicomJson.Read(again), "the JSON that was written again is refused"));
        Same(again, third, "JSON written, read and written");
    }

    private static bool Json(byte[] bytes)
    {
        if (Read(Base + (PerJsonByte * bytes.Length), () => DicomJson.Read(bytes)) is not { } set)
        {
            Read(Base + (PerJsonByte * bytes.Length), () => DicomJson.ReadArray(bytes));
            return false;
        }

        byte[] first = Json(set);
        byte[] second = Json(Must(() => DicomJson.Read(first), "the JSON that was written is refused"));
        Same(first, second, "JSON written, read and written");
        byte[] binary = DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian);
        Same(binary, DataSetWriter.ToArray(Must(() => DataSetReader.Read(binary, TransferSyntax.ExplicitVRLittleEndian, Strict), "a data set from JSON is refused"),
            TransferSyntax.ExplicitVRLittleEndian), "a data set from JSON, written and read");
        return true;
    }

    private static bool Command(byte[] bytes)
    {
        CommandSet? command = Read(Base + (PerByte * bytes.Length), () => CommandSet.Parse(bytes));
        if (command is null)
        {
            return false;
        }

        Read(Base, () => command.IsResponse ? command.Status.ToString() : command.Field.ToString());
        _ = (command.AffectedSOPClassUID, command.AffectedSOPInstanceUID, command.MoveDestination, command.ErrorComment, command.Priority, command.MoveOriginator,
            command.HasDataSet, command.MessageID, command.MessageIDBeingRespondedTo);
        byte[] answer = command.Answer(new DimseStatus(0xC000), errorComment: "no").ToArray();
        Must(() => CommandSet.Parse(answer), "an answer is refused");
        byte[] written = command.ToArray();
        Same(written, Must(() => CommandSet.Parse(written), "a command set that was written is refused").ToArray(), "a command set written, read and written");
        return true;
    }

    /// <summary>The bytes at once and in segments must give the same PDUs; each written and read again is the same.</summary>
    private static bool Pdus(byte[] bytes)
    {
        List<Pdu> whole = [];
        bool isWhole = TakeAll(new ReadOnlySequence<byte>(bytes), bytes.Length, whole);
        List<Pdu> parts = [];
        bool isInParts = TakeAll(Segment.Split(bytes, 1 + (bytes.Length % 61)), bytes.Length, parts);
        Equal(isWhole ? 1 : 0, isInParts ? 1 : 0, "PDUs at once and in segments");
        Equal(whole.Count, parts.Count, "PDUs at once and in segments");
        var assembler = new CommandAssembler(AssociationLimits.Default.MaxCommandSetLength);
        foreach ((Pdu pdu, Pdu other) in whole.Zip(parts))
        {
            byte[] written = Written(pdu);
            Same(written, Written(other), "a PDU at once and in segments");
            var again = new ReadOnlySequence<byte>(written);
            Same(written, Must(() => PduReader.TryRead(ref again, AssociationLimits.Default, out Pdu? read) ? Written(read) : [], "a PDU that was written is refused"), "a PDU written, read and written");
            if (pdu is PDataTf data)
            {
                Fragments(data, assembler);
            }
        }

        return whole.Count > 0;
    }

    private static void Fragments(PDataTf data, CommandAssembler assembler)
    {
        try
        {
            ReadOnlySequence<byte> items = data.Items;
            while (PresentationDataValue.TryTake(ref items, out PresentationDataValue value))
            {
                if (value.IsCommand)
                {
                    assembler.Append(value);
                }
            }
        }
        catch (DimseProtocolException)
        {
            // The association is aborted.
        }
    }

    private static bool TakeAll(ReadOnlySequence<byte> bytes, int length, List<Pdu> pdus) => Read(Base + (PerByte * length), () =>
    {
        while (PduReader.TryRead(ref bytes, AssociationLimits.Default, out Pdu? pdu))
        {
            pdus.Add(pdu);
        }

        return pdus;
    }) is not null;

    private static byte[] Written(Pdu pdu)
    {
        var buffer = new ArrayBufferWriter<byte>();
        PduWriter.Write(pdu, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Json(DataSet set)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            DicomJson.Write(set, writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Null when it is refused as the contract says; the memory it took is checked either way.</summary>
    private static T? Read<T>(long mostAllocated, Func<T> read)
        where T : class
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        T? result = null;
        try
        {
            result = read();
        }
        catch (DicomContentException)
        {
        }
        catch (DimseProtocolException)
        {
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated <= mostAllocated ? result : throw new FuzzFailureException($"{allocated} bytes were allocated, at most {mostAllocated} are allowed.");
    }

    private static T Must<T>(Func<T> read, string what)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is DicomContentException or DimseProtocolException)
        {
            throw new FuzzFailureException($"{what}: {failure.Message}");
        }
    }

    private static void Same(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, string what)
    {
        if (!expected.SequenceEqual(actual))
        {
            throw new FuzzFailureException($"{what}: {expected.Length} and {actual.Length} bytes, the first other one at {expected.CommonPrefixLength(actual)}.");
        }
    }

    private static void Equal(long expected, long actual, string what)
    {
        if (expected != actual)
        {
            throw new FuzzFailureException($"{what}: {expected} and {actual}.");
        }
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public static ReadOnlySequence<byte> Split(byte[] bytes, int size)
        {
            var first = new Segment { Memory = bytes.AsMemory(0, Math.Min(size, bytes.Length)) };
            Segment last = first;
            for (int i = size; i < bytes.Length; i += size)
            {
                var next = new Segment { Memory = bytes.AsMemory(i, Math.Min(size, bytes.Length - i)), RunningIndex = i };
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
