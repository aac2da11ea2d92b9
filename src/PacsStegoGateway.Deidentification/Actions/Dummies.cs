using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// Values for action D: legal for the VR, the same for every entity, so consistent by themselves, and unlikely to be
/// what was there before.
/// </summary>
internal static class Dummies
{
    /// <summary>Text, name, title and code: within 16 characters and the repertoire of CS.</summary>
    internal const string Text = "WITHHELD";

    /// <summary>The day zero of the Modified Julian Date: no image was ever taken then.</summary>
    internal const string Date = "18581117";

    internal const string Time = "111111";

    private const string CodingScheme = "99PSG";

    /// <summary>A non-empty value of the VR; the VR of the dictionary when the stored one is UN.</summary>
    internal static Element Of(Element original)
    {
        Vr vr = original.Vr == Vr.UN ? DataDictionary.VrOf(original.Tag) : original.Vr;
        Tag tag = original.Tag;
        return vr switch
        {
            Vr.SQ => Sequence(tag),
            Vr.DA => Element.Text(tag, vr, Date),
            Vr.TM => Element.Text(tag, vr, Time),
            Vr.DT => Element.Text(tag, vr, Date + Time),
            Vr.AS => Element.Text(tag, vr, "000Y"),
            Vr.DS or Vr.IS => Element.Text(tag, vr, "0"),
            Vr.UI => Element.Text(tag, vr, "2.25.0"),
            Vr.UR => Element.Text(tag, vr, "urn:withheld"),
            _ when vr.IsText() => Element.Text(tag, vr, Text),
            Vr.OB or Vr.UN => Element.Raw(tag, vr, System.Text.Encoding.ASCII.GetBytes(Text)),
            // Eight zero bytes are whole numbers of every other VR; one number where one is expected.
            _ => Element.Raw(tag, vr, new byte[vr is Vr.OW or Vr.OL or Vr.OF or Vr.OD or Vr.OV ? 8 : Math.Max(vr.SwapUnit(), 2)]),
        };
    }

    /// <summary>One item that has what the standard demands of it (Type 1) and says nothing.</summary>
    private static Element Sequence(Tag tag)
    {
        DataSet item;
        if (tag == Tags.ContentSequence)
        {
            // PS3.3 C.17.3: a text "Comment".
            item = new DataSet();
            item.SetText(Tags.RelationshipType, "CONTAINS");
            item.SetText(Tags.ValueType, "TEXT");
            item.Set(Element.Sequence(Tags.ConceptNameCodeSequence, [CodeItem("121106", "DCM", "Comment")]));
            item.SetText(Tags.TextValue, Text);
        }
        else if (tag == Tags.VerifyingObserverSequence)
        {
            item = new DataSet();
            item.SetText(Tags.VerifyingOrganization, Text);
            item.SetText(Tags.VerificationDateTime, Date + Time);
            item.SetText(Tags.VerifyingObserverName, Text);
            item.Set(Element.Sequence(Tags.VerifyingObserverIdentificationCodeSequence, []));
        }
        else if (tag == Tags.OperatorIdentificationSequence)
        {
            item = new DataSet();
            item.Set(Element.Sequence(Tags.PersonIdentificationCodeSequence, [CodeItem(Text, CodingScheme, Text)]));
            item.SetText(Tags.InstitutionName, Text);
        }
        else if (tag == Tags.GraphicAnnotationSequence)
        {
            item = new DataSet();
            item.SetText(Tags.GraphicLayer, Text);
        }
        else
        {
            item = CodeItem(Text, CodingScheme, Text);
        }

        return Element.Sequence(tag, [item]);
    }

    /// <summary>An item of the Code Sequence Macro (PS3.3 8.8).</summary>
    internal static DataSet CodeItem(string value, string scheme, string meaning)
    {
        var item = new DataSet();
        item.SetText(Tags.CodeValue, value);
        item.SetText(Tags.CodingSchemeDesignator, scheme);
        item.SetText(Tags.CodeMeaning, meaning);
        return item;
    }
}
