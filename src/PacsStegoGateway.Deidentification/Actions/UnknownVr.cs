using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// Elements of VR UN that the dictionary knows: read as what they are (PS3.5 6.2.2), so that neither a sequence nor a
/// name can hide in them and the clean set is typed.
/// </summary>
internal static class UnknownVr
{
    /// <summary>Longest value of a VR whose length field has 16 bits, even.</summary>
    private const int LongestShortValue = 0xFFFE;

    /// <summary>The element with the dictionary's VR, or itself when it is not UN, not known, or not readable as that.</summary>
    internal static Element Resolve(Element element)
    {
        if (element.Vr != Vr.UN || element.Tag.IsPrivate || element.Items is not null || element.Fragments is not null)
        {
            return element;
        }

        Vr vr = DataDictionary.VrOf(element.Tag);
        return vr switch
        {
            Vr.UN => element,
            Vr.SQ => ReadSequence(element) ?? element,
            _ when !vr.HasLongHeader() && element.ValueLength > LongestShortValue => element,
            _ when element.ValueLength % vr.SwapUnit() != 0 => element,
            _ => Element.Raw(element.Tag, vr, element.Source),
        };
    }

    /// <summary>The value field of a sequence in UN is Implicit VR Little Endian (PS3.5 6.2.2 note 4).</summary>
    private static Element? ReadSequence(Element element)
    {
        byte[] header = new byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(header, element.Tag.Group);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(2), element.Tag.Element);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), (uint)element.ValueLength);
        try
        {
            return DataSetReader.Read(ByteSource.Join(ByteSource.Of(header), element.Source), TransferSyntax.ImplicitVRLittleEndian).Find(element.Tag);
        }
        catch (DicomContentException)
        {
            // Left as bytes, which removes it.
            return null;
        }
    }
}
