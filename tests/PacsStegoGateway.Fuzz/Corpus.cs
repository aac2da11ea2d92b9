using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Dicom.Network;

namespace PacsStegoGateway.Fuzz;

/// <summary>The inputs that mutations start from: made ones of every structure, and real files when they are at hand.</summary>
internal static class Corpus
{
    /// <summary>Longest real data set to start from, in bytes: longer ones are mostly pixels.</summary>
    private const int LongestFile = 12_000;

    private static readonly Vr[] AllVrs = Enum.GetValues<Vr>();

    /// <param name="seed">The same seed makes the same inputs.</param>
    /// <param name="folder">A folder of DICOM files, or null.</param>
    public static List<Input> Make(int seed, string? folder)
    {
        var random = new Random(seed);
        List<Input> inputs = [];
        for (int i = 0; i < 24; i++)
        {
            DataSet set = DataSetOf(random, 0);
            inputs.Add(new Input(InputKind.Implicit, DataSetWriter.ToArray(set, TransferSyntax.ImplicitVRLittleEndian)));
            inputs.Add(new Input(InputKind.Explicit, DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRLittleEndian)));
            inputs.Add(new Input(InputKind.BigEndian, DataSetWriter.ToArray(set, TransferSyntax.ExplicitVRBigEndian)));
            inputs.Add(new Input(InputKind.Json, JsonOf(set)));
            if (i % 4 == 0)
            {
                // Deflated, mutated as it is: the stream is what a peer can damage.
                inputs.Add(new Input(InputKind.Deflated, DataSetWriter.ToArray(set, TransferSyntax.DeflatedExplicitVRLittleEndian)));
                inputs.Add(new Input(InputKind.File, FileOf(set, TransferSyntax.ExplicitVRLittleEndian)));
                inputs.Add(new Input(InputKind.File, FileOf(set, TransferSyntax.DeflatedExplicitVRLittleEndian)));
            }
        }

        inputs.AddRange(Commands(random).Select(static c => new Input(InputKind.Command, c)));
        inputs.AddRange(Pdus(random).SelectMany(static p => Enumerable.Repeat(new Input(InputKind.Pdu, p), 4)));
        foreach (string path in Files(folder))
        {
            Add(inputs, path);
        }

        return inputs;
    }

    private static IEnumerable<string> Files(string? folder) => folder is null
        ? []
        : Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    private static void Add(List<Input> inputs, string path)
    {
        if (Path.GetExtension(path) == ".csv")
        {
            return;
        }

        byte[] bytes = File.ReadAllBytes(path);
        try
        {
            DicomFile file = DicomFile.Read(bytes);
            foreach (Element element in file.DataSet.ToList())
            {
                if (element.Fragments is not null || element.Value.Length > 1024)
                {
                    file.DataSet.Set(Element.Raw(element.Tag, element.Vr, new byte[16]));
                }
            }

            if (DataSetWriter.LengthOf(file.DataSet, file.TransferSyntax) <= LongestFile)
            {
                InputKind kind = !file.TransferSyntax.ExplicitVr ? InputKind.Implicit : file.TransferSyntax.BigEndian ? InputKind.BigEndian : InputKind.Explicit;
                inputs.Add(new Input(kind, DataSetWriter.ToArray(file.DataSet, Input.SyntaxOf(kind))));
                inputs.Add(new Input(InputKind.Json, JsonOf(file.DataSet)));
            }
        }
        catch (DicomContentException)
        {
            // Damaged as it is: the best start there is.
            if (bytes.Length <= 4 * LongestFile)
            {
                inputs.Add(new Input(InputKind.File, bytes));
            }
        }
    }

    private static DataSet DataSetOf(Random random, int depth)
    {
        var set = new DataSet { HasUndefinedLength = random.Next(2) == 0 };
        string[] terms = ["ISO_IR 100", "\\ISO 2022 IR 87\\ISO 2022 IR 159", "ISO_IR 192", "GB18030", "\\ISO 2022 IR 149", "ISO 2022 IR 13\\ISO 2022 IR 87"];
        set.SetText(Tags.SpecificCharacterSet, terms[random.Next(terms.Length)]);
        if (random.Next(2) == 0)
        {
            set.Set(Element.UInt16(Tags.PixelRepresentation, (ushort)random.Next(2)));
        }

        foreach (Vr vr in AllVrs.Where(_ => random.Next(3) == 0))
        {
            // Private, so that any VR may stand there; standard ones come below.
            set.Set(Element.Text(new Tag(0x0009, 0x0010), Vr.LO, "FUZZ"));
            var tag = new Tag(0x0009, (ushort)(0x1000 + (int)vr % 0x100));
            set.Set(vr == Vr.SQ ? Sequence(random, tag, depth) : Element.Raw(tag, vr, ValueOf(random, vr)));
        }

        set.SetText(Tags.PatientName, "Yamada^Tarou=x=y");
        set.SetText(Tags.ImageType, "ORIGINAL\\\\AXIAL");
        set.SetText(Tags.PixelSpacing, "0.50\\1e-3");
        set.SetText(Tags.InstanceNumber, "-7");
        set.Set(Element.UInt16(Tags.Rows, 4));
        set.Set(Element.Raw(Tags.SmallestImagePixelValue, Vr.SS, new byte[] { 0xFE, 0xFF }));
        set.Set(Element.Raw(Tags.FrameIncrementPointer, Vr.AT, new byte[] { 0x18, 0, 0x63, 0x10, 0x18, 0, 0x65, 0x10 }));
        if (depth < 3 && random.Next(3) != 0)
        {
            set.Set(Sequence(random, Tags.ReferencedImageSequence, depth));
            set.Set(Element.Sequence(new Tag(0x0009, 0x1101), [new DataSet()], hasUndefinedLength: true, Vr.UN));
        }

        if (depth == 0 && random.Next(2) == 0)
        {
            set.Set(random.Next(2) == 0
                ? Element.Encapsulated(Tags.PixelData, Vr.OB, [new byte[random.Next(3) * 4], new byte[random.Next(20) * 2], new byte[10]])
                : Element.Raw(Tags.PixelData, Vr.OW, new byte[random.Next(40)]));
        }

        return set;
    }

    private static Element Sequence(Random random, Tag tag, int depth) => Element.Sequence(tag,
        [.. Enumerable.Range(0, depth > 2 ? 0 : random.Next(4)).Select(_ => DataSetOf(random, depth + 1))], random.Next(2) == 0);

    private static byte[] ValueOf(Random random, Vr vr)
    {
        int unit = vr == Vr.AT ? 4 : Math.Max(2, vr.SwapUnit());
        byte[] value = new byte[unit * random.Next(4)];
        random.NextBytes(value);
        if (vr.IsText())
        {
            value.AsSpan().Fill((byte)'1');
        }

        return value;
    }

    private static byte[] JsonOf(DataSet set)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            DicomJson.Write(set, writer);
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] FileOf(DataSet set, TransferSyntax syntax) =>
        [.. FileMeta.Prefix(SopClasses.CTImageStorage, "1.2.3", syntax.UID, "FUZZ"), .. DataSetWriter.ToArray(set, syntax)];

    private static IEnumerable<byte[]> Commands(Random random)
    {
        foreach (CommandField field in Enum.GetValues<CommandField>())
        {
            CommandSet request = field == CommandField.CCancelRq ? CommandSet.CancelOf(7)
                : CommandSet.Request(field, (ushort)random.Next(1, 9), SopClasses.CTImageStorage, field != CommandField.CEchoRq);
            request.SetText(Tags.AffectedSOPInstanceUID, "1.2.3.4");
            request.SetText(Tags.MoveDestination, "PSG");
            yield return request.ToArray();
            yield return request.Answer(new DimseStatus(0xA700), errorComment: "no space", offendingElement: Tags.PatientID).ToArray();
        }
    }

    private static IEnumerable<byte[]> Pdus(Random random)
    {
        var user = new UserInformation
        {
            MaxPduLength = 16384,
            ImplementationClassUID = FileMeta.ImplementationClassUID,
            ImplementationVersionName = "FUZZ",
            RoleSelections = [new RoleSelection(SopClasses.CTImageStorage, true, true)],
            AsynchronousOperationsWindow = new AsynchronousOperationsWindow(1, 1),
            ExtendedNegotiations = [new ExtendedNegotiation(SopClasses.StudyRootFind, new byte[] { 1, 0, 1 })],
            CommonExtendedNegotiations = [new CommonExtendedNegotiation(SopClasses.CTImageStorage, "1.2.840.10008.4.2", ["1.2.3"])],
            UserIdentity = new UserIdentity(2, true, "user"u8.ToArray(), "pass"u8.ToArray()),
        };
        Pdu[] pdus =
        [
            new AssociateRq
            {
                CalledAETitle = "CALLED",
                CallingAETitle = "CALLING",
                PresentationContexts = [.. Enumerable.Range(0, 4).Select(static i => new ProposedContext(SopClasses.CTImageStorage, "1.2.840.10008.1.2", "1.2.840.10008.1.2.1") { ID = (byte)((2 * i) + 1) })],
                UserInformation = user,
            },
            new AssociateAc
            {
                CalledAETitle = "CALLED",
                CallingAETitle = "CALLING",
                PresentationContexts = [new AnsweredContext(1, PresentationContextResult.Acceptance, "1.2.840.10008.1.2"), new AnsweredContext(3, (PresentationContextResult)4, "")],
                UserInformation = user with { UserIdentity = null, UserIdentityResponse = "token"u8.ToArray() },
            },
            new AssociateRj(1, 1, 7), new ReleaseRq(), new ReleaseRp(), new Abort(2, 5),
        ];
        List<byte[]> single = [.. pdus.Select(Written)];
        foreach (byte[] command in Commands(random).Take(6))
        {
            int cut = random.Next(1, command.Length);
            single.Add(Data([(1, 1, command)]));
            single.Add(Data([(1, 0, command[..cut]), (1, 1, command[cut..]), (1, 2, new byte[20])]));
        }

        return [.. single, .. single.Select(p => (byte[])[.. p, .. single[random.Next(single.Count)]])];
    }

    private static byte[] Written(Pdu pdu)
    {
        var buffer = new ArrayBufferWriter<byte>();
        PduWriter.Write(pdu, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Data((byte ContextID, byte Header, byte[] Fragment)[] values)
    {
        List<byte> items = [];
        foreach ((byte contextID, byte header, byte[] fragment) in values)
        {
            byte[] length = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, fragment.Length + 2);
            items.AddRange([.. length, contextID, header, .. fragment]);
        }

        return Written(new PDataTf(new ReadOnlySequence<byte>(items.ToArray())));
    }
}
